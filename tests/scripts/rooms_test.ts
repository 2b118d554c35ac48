import { strict as assert } from "node:assert";
import { picture, roomsOf, wrongArrows } from "../../scripts/rooms.ts";

const PAGE = [
  "| folder | is about | imports |",
  "| ------ | -------- | ------- |",
  "| `main.ts` | faces | `plugin/` |",
  "| `plugin/` | the host's side | `runner/`, `base/` |",
  "| `runner/` | one turn | `base/` |",
  "| `base/` | the ground floor |  |",
  "",
  "Imports point one way: `main → plugin → {runner, rollout} → base`.",
].join("\n");

const FILES: [string, string][] = [
  ["main.ts", 'export { serve } from "./plugin/serve.ts";'],
  [
    "plugin/serve.ts",
    'import { x } from "../base/x.ts";\nconst y = await import("../runner/y.ts");',
  ],
  ["runner/y.ts", 'import {\n  x,\n} from "../base/x.ts";\nimport { z } from "./deep/z.ts";'],
  ["base/x.ts", 'import { join } from "@std/path";'],
];

Deno.test("a picture of the rooms that is true to the imports passes", () => {
  assert.deepEqual(wrongArrows(picture(PAGE), roomsOf(FILES)), []);
});

Deno.test("an import that the picture does not have is named, and one that it has too much", () => {
  const files = FILES.map(([path, text]): [string, string] =>
    path === "main.ts" ? [path, 'import { z } from "./runner/deep/z.ts";'] : [path, text]
  );
  assert.deepEqual(wrongArrows(picture(PAGE), roomsOf(files)), [
    "main.ts imports from runner, the table says not",
    "main.ts does not import from plugin, the table says so",
  ]);
});

Deno.test("an import against the arrows is named, whatever the table says", () => {
  const page = PAGE.replace(
    "| one turn | `base/` |",
    "| one turn | `base/`, `rollout/`, `scripts/` |",
  );
  const more: [string, string][] = [
    ...FILES,
    ["runner/up.ts", 'import "../rollout/r.ts";\nimport { s } from "../scripts/s.ts";'],
  ];
  assert.deepEqual(wrongArrows(picture(page), roomsOf(more)), [
    "runner → rollout goes against the arrows",
    "runner → scripts goes against the arrows",
  ]);
});

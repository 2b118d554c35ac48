import { strict as assert } from "node:assert";
import type { ModelRequest } from "../../../support/model/request.ts";
import {
  type Difference,
  differences,
  ShapeCollector,
} from "../../../../scripts/proof/codex/shape.ts";
import { type Facts, flagsIn, modelsIn, toolsIn } from "../../../../scripts/proof/codex/facts.ts";
import { differenceList } from "../../../../scripts/proof/matrix/table.ts";
import type { VersionShape } from "../../../../scripts/proof/codex/version_shape.ts";

function shapeOf(
  version: string,
  stdout: unknown[],
  rollout: unknown[],
  help: string,
  more: Facts,
) {
  const [events, records] = [new ShapeCollector(), new ShapeCollector()];
  for (const line of stdout) events.stdout(line);
  for (const line of rollout) records.rollout(line);
  const facts = { "flags of codex exec": flagsIn(help), ...more };
  const shape: VersionShape = {
    version,
    stdout: events.shapes(),
    rollout: records.shapes(),
    facts,
  };
  return shape;
}

const OLD = shapeOf(
  "1.0.0",
  [{ type: "turn.completed", usage: { input_tokens: 1 } }, { type: "item.updated", item: 5 }],
  [{ timestamp: "t", type: "event_msg", payload: { type: "token_count", info: null } }],
  "Options:\n  -m, --model <MODEL>\n          Model\n\n      --full-auto\n          Old",
  { "default model": ["the default model is a-1"], "features": ["fast: stable: false"] },
);
const NEW = shapeOf(
  "2.0.0",
  [{ type: "turn.completed", usage: { input_tokens: 1, cost: { usd: 2 } } }],
  [
    { timestamp: "t", ordinal: 0, type: "event_msg", payload: { type: "token_count", info: {} } },
    { timestamp: "t", ordinal: 1, type: "event_msg", payload: { type: "dreamt" } },
  ],
  "Options:\n  -m, --model <MODEL>\n          Model\n\n      --color <COLOR>\n" +
    "          Colour\n\n          [possible values: always, never]",
  {
    "default model": ["the default model is a-2"],
    "features": ["fast: stable: true", "new: stable: false"],
  },
);

/** A difference in one line, for people. */
function describe({ sign, what, of, name, kinds }: Difference): string {
  const where = name === undefined ? of : `${of}: ${name}`;
  return `${sign} ${what} ${where}${kinds === undefined ? "" : ` (${kinds})`}`;
}

Deno.test("differences name every event, record, field and flag that came, went or changed", () => {
  assert.deepEqual(differences(OLD, NEW).map(describe), [
    "- event item.updated",
    "+ event field turn.completed: usage.cost (object)",
    "+ record field (every line): ordinal (number)",
    "+ record event_msg/dreamt",
    "~ record field event_msg/token_count: info (null → object)",
    "~ fact default model: the default model (a-1 → a-2)",
    "~ fact features: fast (stable: false → stable: true)",
    "+ fact features: new: stable: false",
    "+ fact flags of codex exec: --color <COLOR> [always, never]",
    "- fact flags of codex exec: --full-auto",
  ]);
  assert.deepEqual(differences(NEW, NEW), []);
});

Deno.test("differences are listed by the line they belong to", () => {
  assert.equal(
    differenceList(differences(OLD, NEW)),
    [
      "- gone events: `item.updated`",
      "- event `turn.completed`: + `usage.cost`",
      "- record `(every line)`: + `ordinal`",
      "- new records: `event_msg/dreamt`",
      "- record `event_msg/token_count`: ~ `info` (null → object)",
      "- default model: ~ `the default model` (a-1 → a-2)",
      "- features: ~ `fast` (stable: false → stable: true), + `new: stable: false`",
      "- flags of codex exec: + `--color <COLOR> [always, never]`, - `--full-auto`",
    ].join("\n"),
  );
});

Deno.test("shapes tell items apart and look into no model's or tool's data", () => {
  const collector = new ShapeCollector();
  const item = { type: "mcp_tool_call", arguments: { secret: 1 }, result: { content: [] } };
  collector.stdout({ type: "item.completed", item });
  collector.stdout({
    type: "item.completed",
    item: { type: "file_change", changes: [{ path: "/a", kind: "add" }] },
  });
  collector.stdout({ type: "note", byPath: { "/home/x": true } });
  collector.stdout("text");
  assert.deepEqual(collector.shapes(), {
    "(no object)": {},
    "item.completed/file_change": {
      "item": "object",
      "item.changes": "array",
      "item.changes[].kind": "string",
      "item.changes[].path": "string",
      "item.type": "string",
      "type": "string",
    },
    "item.completed/mcp_tool_call": {
      "item": "object",
      "item.arguments": "object",
      "item.result": "object",
      "item.type": "string",
      "type": "string",
    },
    "note": { "byPath": "object", "byPath.*": "boolean", "type": "string" },
  });
});

Deno.test("models are asked for by what they are, not by their names", () => {
  const listed = { visibility: "list" };
  const [old, code] = [{ ...listed, slug: "old" }, {
    ...listed,
    slug: "new",
    tool_mode: "code_mode_only",
  }];
  const hidden = { ...code, slug: "hidden", visibility: "hide" };
  assert.deepEqual(modelsIn([hidden, code, old]), {
    plain: "old",
    code: "new",
    default: undefined,
  });
  assert.deepEqual(modelsIn([old]), { plain: "old", code: undefined, default: undefined });
  assert.equal(modelsIn([code]).plain, "new");
});

Deno.test("tools that a request offers are named wherever it has them", () => {
  const exec = { type: "custom", name: "exec", description: "Runs.\n### `apply_patch`\nPatches." };
  const inner = { type: "namespace", name: "functions", tools: [exec] };
  const more = { type: "additional_tools", tools: [inner] };
  const request = { model: "m", input: [more], tools: [{ type: "web_search" }] };
  assert.deepEqual(toolsIn(request as unknown as ModelRequest), [
    "functions.exec",
    "functions.exec: tools.apply_patch",
    "web_search",
  ]);
});

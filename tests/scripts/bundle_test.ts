import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { bundle, checkStart, startGraph } from "../../scripts/bundle.ts";
import { sha256 } from "../../scripts/project.ts";

/** esbuild's service process outlives its stop() for a moment, which is no leak of ours. */
const ESBUILD = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "bundle is the same, times included, whenever and wherever it is made",
  ESBUILD,
  async () => {
    const folder = Deno.makeTempDirSync();
    try {
      const entry = join(folder, "main.ts");
      Deno.writeTextFileSync(entry, 'await import("./face.ts");\n');
      Deno.writeTextFileSync(join(folder, "face.ts"), 'console.log(await import("./later.ts"));\n');
      Deno.writeTextFileSync(join(folder, "later.ts"), "export const later = () => {};\n");
      const made: unknown[] = [];
      for (const name of ["one", "other"]) {
        const chunks = await bundle(entry, join(folder, name), "0123456789ab");
        assert.deepEqual(chunks.map((chunk) => chunk.loaded), ["start", "start", "later"]);
        made.push(
          await Promise.all(chunks.map(async ({ file }) => {
            const path = join(folder, name, file);
            return [
              file,
              await sha256(Deno.readFileSync(path)),
              Deno.statSync(path).mtime?.getTime(),
            ];
          })),
        );
      }
      assert.deepEqual(made[0], made[1]);
      assert.match(JSON.stringify(made[0]), /"main\.mjs","[0-9a-f]{64}",0\]/);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);

type Metafile = Parameters<typeof startGraph>[0];

/** main.mjs → face.mjs and face.mjs → later.mjs by import(), face.mjs → chunk.mjs statically. */
function metafile(inChunk: string, inLater: string): Metafile {
  const output = (inputs: string[], imports: Metafile["outputs"][string]["imports"] = []) => ({
    bytes: 1,
    inputs: Object.fromEntries(inputs.map((input) => [input, { bytesInOutput: 1 }])),
    imports,
    exports: [],
  });
  return {
    inputs: {},
    outputs: {
      "out/main.mjs": output(["main.ts"], [{ path: "out/face.mjs", kind: "dynamic-import" }]),
      "out/face.mjs": output(["face.ts"], [
        { path: "out/chunk.mjs", kind: "import-statement" },
        { path: "out/later.mjs", kind: "dynamic-import" },
      ]),
      "out/chunk.mjs": output([inChunk]),
      "out/later.mjs": output([inLater]),
    },
  };
}

const SDK = "node_modules/.deno/sdk@1/node_modules/@modelcontextprotocol/sdk/dist/esm/types.js";

Deno.test("bundle keeps the MCP SDK and the full zod out of what a start loads", () => {
  const fine = metafile("node_modules/zod/v4/mini/schemas.js", SDK);
  checkStart(fine, startGraph(fine));
  for (const unwanted of [SDK, "node_modules/zod/v4/classic/schemas.js"]) {
    const bad = metafile(unwanted, "later.ts");
    assert.throws(
      () => checkStart(bad, startGraph(bad)),
      /would be loaded when the program starts/,
    );
  }
});

import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { build } from "../../scripts/build.ts";
import { VERSION } from "../../scripts/project.ts";

/** esbuild's service process outlives its stop() for a moment, which is no leak of ours. */
const ESBUILD = { sanitizeOps: false, sanitizeResources: false };

Deno.test("build refuses a base that makes something else of the program", ESBUILD, async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const entry = join(folder, "main.ts");
    Deno.writeTextFileSync(entry, `console.log("name ${VERSION}");\n`);
    const output = join(folder, "out", "program");
    // The full Deno as base: the compiler does not complain, and the result is not our program.
    await assert.rejects(() => build({ entry, output, base: Deno.execPath() }), /not ours|compile/);
    assert.deepEqual([...Deno.readDirSync(join(folder, "out"))], [], "nothing half-made is left");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

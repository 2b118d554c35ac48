import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { NoBaseError } from "../../scripts/compile.ts";
import { objection, release } from "../../scripts/release.ts";

/** esbuild's service process outlives its stop() for a moment, which is no leak of ours. */
const ESBUILD = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "release refuses the fallback where Deno's own base cannot be downloaded",
  ESBUILD,
  async () => {
    const folder = Deno.makeTempDirSync();
    try {
      const entry = join(folder, "main.ts");
      Deno.writeTextFileSync(entry, 'console.log("hello");\n');
      const output = join(folder, "release");
      Deno.mkdirSync(output);
      // Nobody listens on port 1, and an empty DENO_DIR has no base from earlier.
      const nowhere = "http://127.0.0.1:1";
      const env = { HTTPS_PROXY: nowhere, https_proxy: nowhere, DENO_DIR: join(folder, "deno") };
      await assert.rejects(
        () => release({ entry, output, env: { ...env, NO_PROXY: "", no_proxy: "" } }),
        (error) => {
          assert(error instanceof NoBaseError);
          assert.match(
            error.message,
            /^Cannot release for x86_64-unknown-linux-gnu: cannot download /,
          );
          assert.match(error.message, /never goes into a release/);
          return true;
        },
      );
      assert.deepEqual([...Deno.readDirSync(output)], []);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);

Deno.test("release refuses a base given by DENORT_BIN", () => {
  assert.match(
    objection("/some/denort", "0123456789ab") ?? "",
    /DENORT_BIN is set \(\/some\/denort\)/,
  );
});

Deno.test("release refuses sources that are not those of a commit", () => {
  assert.match(objection(undefined, "0123456789ab-dirty") ?? "", /0123456789ab-dirty/);
  assert.match(objection(undefined, "unknown") ?? "", /unknown/);
});

Deno.test("release has no objection to a clean commit and no base of one's own", () => {
  assert.equal(objection(undefined, "0123456789ab"), undefined);
  assert.equal(objection("", "0123456789ab"), undefined);
});

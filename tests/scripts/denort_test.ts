import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { FALLBACK, fallbackBase, isFallback } from "../../scripts/denort.ts";

Deno.test("denort is known by its bytes, not by its size", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = join(folder, "denort");
    assert.equal(await isFallback(path), false, "no file");
    Deno.writeTextFileSync(path, "");
    assert.equal(await isFallback(path), false, "another size");
    Deno.truncateSync(path, FALLBACK.bytes);
    assert.equal(await isFallback(path), false, "other bytes");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("denort refuses a package that is not the one it knows", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const cache = join(folder, "cache");
    const forged = async (_spec: string, into: string) => {
      await Deno.writeTextFile(join(into, FALLBACK.file), "forged");
      return FALLBACK.integrity;
    };
    await assert.rejects(() => fallbackBase(cache, forged), /is not the package this build knows/);
    assert.deepEqual([...Deno.readDirSync(cache)], [], "nothing of it is kept");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

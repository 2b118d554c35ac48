/** The manifest, as the host reads it before and in the handshake. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import * as z from "zod/mini";
import { manifestBeforeHandshake, manifestFor } from "../../plugin/manifest.ts";
import { Manifest } from "../../plugin/protocol.ts";
import { VERSION } from "../../plugin/version.ts";

Deno.test("manifest names the plugin, its executable and the configured models", () => {
  assert.deepEqual(manifestFor(["a", "b"]), {
    name: "plexum-openai-provider",
    version: VERSION,
    activation: "lazy",
    executable: "plexum-openai-provider-plugin",
    contracts: { provider: { models: ["a", "b"] } },
  });
  assert.deepEqual(manifestFor([]).contracts.provider.models, ["codex"]);
  assert.ok(z.safeParse(Manifest, manifestFor([])).success);
});

Deno.test("manifest before the handshake passes over a configuration that cannot be used", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "config.json");
    const models = () => manifestBeforeHandshake(path).contracts.provider.models;
    assert.deepEqual(models(), ["codex"]);
    for (const broken of ["{", '{"supported_models": 5}', '{"supported_models": []}']) {
      await Deno.writeTextFile(path, broken);
      assert.deepEqual(models(), ["codex"], broken);
    }
    await Deno.writeTextFile(path, '{"supported_models": ["fast"]}');
    assert.deepEqual(models(), ["fast"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

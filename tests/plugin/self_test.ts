/**
 * The manifest, as the host reads it before and in the handshake.
 */
import { strict as assert } from "node:assert";
import * as z from "zod/mini";
import { Manifest } from "../../plugin/protocol.ts";
import { manifestFor, VERSION } from "../../plugin/self.ts";

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

/**
 * The manifest: what the host reads, from `manifest.json`, before it starts the plugin, and again in
 * the answer to `initialize`.
 *
 * @module
 */
import { EXECUTABLE_NAME, PLUGIN_NAME, VERSION } from "./self.ts";
import type { Manifest } from "./protocol.ts";

/** The manifest for a configuration's `supported_models`; empty means `["codex"]`. */
export function manifestFor(supportedModels: readonly string[]): Manifest {
  return {
    name: PLUGIN_NAME,
    version: VERSION,
    activation: "lazy",
    executable: EXECUTABLE_NAME,
    contracts: {
      provider: { models: supportedModels.length > 0 ? [...supportedModels] : ["codex"] },
    },
  };
}

/**
 * The manifest: what the host reads, from `manifest.json`, before it starts the plugin, and again in
 * the answer to `initialize`.
 *
 * @module
 */
import { loadConfig } from "./config/config.ts";
import { EXECUTABLE_NAME, PLUGIN_NAME } from "./names.ts";
import type { Manifest } from "./protocol.ts";
import { VERSION } from "./version.ts";

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

/**
 * The manifest as it can be told before the handshake: a configuration that cannot be used yet does
 * not keep the host from learning what the plugin is, so its errors are passed over here.
 */
export function manifestBeforeHandshake(configPath: string): Manifest {
  try {
    return manifestFor(loadConfig(configPath).config.supported_models);
  } catch {
    return manifestFor([]);
  }
}

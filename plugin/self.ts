/**
 * This program: what it is called, which build it is, how it can be started again, and what its
 * manifest says. Apart from the protocol, whose schemas no help text should wait for.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import type { Manifest } from "./protocol.ts";

/** The plugin's name on every wire and in the profile. */
export const PLUGIN_NAME = "plexum-openai-provider";
/** The file that an operator drops into the profile. */
export const EXECUTABLE_NAME = "plexum-openai-provider-plugin";

// The bundler puts the two in; run from source, the version comes from deno.json, its one source.
declare const PLEXUM_VERSION: string;
declare const PLEXUM_COMMIT: string;

/** The version of this program, as in deno.json. */
export const VERSION: string = typeof PLEXUM_VERSION === "string" ? PLEXUM_VERSION : config.version;

/** The commit it was built from, 12 digits, `-dirty` with changes; `"source"` when not built. */
export const COMMIT: string = typeof PLEXUM_COMMIT === "string" ? PLEXUM_COMMIT : "source";

/**
 * What codex starts as its MCP server: this program's path and the arguments before a command. Compiled,
 * that is the executable alone; under `deno run` it is Deno with what a relay may need, and the module
 * that was started.
 */
export function self(mainModule: string): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const bundled = mainModule.endsWith(".mjs");
  return [
    Deno.execPath(),
    "run",
    ...(bundled ? ["--no-config"] : []),
    "--no-check",
    "--no-prompt",
    "--deny-import",
    "--allow-read",
    "--allow-write",
    "--allow-net",
    "--allow-env",
    mainModule,
  ];
}

/*
 * The manifest: what the host reads, from `manifest.json`, before it starts the plugin, and again in
 * the answer to `initialize`.
 */

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

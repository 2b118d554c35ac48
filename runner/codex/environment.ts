/**
 * The environment of a codex process: the plugin's own, less what is the plugin's or would mislead
 * codex, plus what the configuration adds. Secrets travel here, never in argv.
 *
 * @module
 */
import type { CodexBinary } from "./codex_binary.ts";
import type { Variables } from "../../base/variables.ts";

/**
 * Not handed on: the plugin's own variables, and what a codex above us says about itself (a plugin
 * started from inside codex must not make its codex believe it is sandboxed or managed).
 */
const OURS = /^(?:PLEXUM_|CODEX_SANDBOX|CODEX_MANAGED_|CODEX_THREAD_ID$)/;

/** The environment for `codex`, later parts winning over earlier ones. */
export function codexEnvironment(
  own: Variables,
  configured: Variables,
  codex: Partial<Pick<CodexBinary, "env" | "pathDirectory">> = {},
): Variables {
  const env: Variables = {};
  for (const [name, value] of Object.entries(own)) {
    if (!OURS.test(name)) env[name] = value;
  }
  Object.assign(env, codex.env, configured);
  if (codex.pathDirectory !== undefined) {
    env.PATH = [codex.pathDirectory, ...(env.PATH ?? "").split(":").filter(Boolean)].join(":");
  }
  return env;
}

/** codex's home according to the environment it will get: `CODEX_HOME`, else `~/.codex`. */
export function codexHome(env: Variables): string {
  if (env.CODEX_HOME !== undefined && env.CODEX_HOME !== "") return env.CODEX_HOME;
  return `${env.HOME ?? ""}/.codex`;
}

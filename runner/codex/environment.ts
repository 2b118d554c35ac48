/**
 * The environment of a codex process: the plugin's own, less what is the plugin's or would mislead
 * codex, plus what the configuration adds. Secrets travel here, never in argv.
 *
 * Nothing in it depends on the workspace that codex is started in. A relative path is one below the
 * plugin's own working directory: were it left to codex, each workspace would have its own
 * `CODEX_HOME`, and codex would believe, and run, whatever an agent put there.
 *
 * @module
 */
import { resolve } from "@std/path";
import { ownUid } from "../../base/files.ts";
import type { Variables } from "../../base/program.ts";
import type { CodexBinary } from "./codex_binary.ts";

/**
 * Not handed on: the plugin's own variables, and what a codex above us says about itself (a plugin
 * started from inside codex must not make its codex believe it is sandboxed or managed).
 */
const OURS = /^(?:PLEXUM_|CODEX_SANDBOX|CODEX_MANAGED_|CODEX_THREAD_ID$)/;

/** Variables that are one path, for codex or for what it starts. */
const PATHS =
  /^(?:(?:CODEX|CODEX_SQLITE)_HOME|CODEX_CA_CERTIFICATE|HOME|TMPDIR|TMP|TEMP|SSL_CERT_(?:FILE|DIR)|NODE_EXTRA_CA_CERTS|XDG_\w+_(?:HOME|DIR))$/;

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
  for (const [name, value] of Object.entries(env)) {
    if (value !== "" && PATHS.test(name)) env[name] = resolve(value);
  }
  const searched = (env.PATH ?? "").split(":").filter(Boolean).map((path) => resolve(path));
  if (codex.pathDirectory !== undefined) searched.unshift(codex.pathDirectory);
  if (searched.length > 0) env.PATH = searched.join(":");
  // A service may have no HOME. codex asks the system then, and so do we: both must mean the same.
  if (!env.HOME) {
    const home = homeOfUser();
    if (home !== undefined) env.HOME = home;
  }
  return env;
}

/** codex's home in an environment made here: `CODEX_HOME`, else `~/.codex`. Absolute. */
export function codexHome(env: Variables): string {
  return env.CODEX_HOME || `${env.HOME ?? ""}/.codex`;
}

/** What `/etc/passwd` says, where codex looks, too. */
export function homeOfUser(passwd = "/etc/passwd"): string | undefined {
  try {
    const uid = String(ownUid());
    const line = Deno.readTextFileSync(passwd).split("\n")
      .find((line) => line.split(":")[2] === uid);
    return line?.split(":")[5] || undefined;
  } catch {
    return undefined; // codex says what is wrong.
  }
}

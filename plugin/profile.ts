/**
 * Where the plugin's files lie: `<profile>/plugins/plexum-openai-provider/`.
 *
 * The profile is `$PLEXUM_PROFILE_ROOT` or `~/.plexum`.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "@std/path";
import { isDirectory } from "../base/files.ts";
import { makeSocketDirectory } from "../mcp_host/listener/socket_dir.ts";
import { PLUGIN_NAME } from "./self.ts";

/** The plugin's own directory and what lies in it; all paths are absolute. */
export interface ProfilePaths {
  profile: string;
  /** `<profile>/plugins/plexum-openai-provider` */
  plugin: string;
  config: string;
  manifest: string;
  /** Threads, call indexes, journals; mode 0700. */
  state: string;
  /** Turns that are running now, so that the next start can end what a killed plugin left. */
  running: string;
}

/** The paths below a profile's root. */
export function profilePaths(profile: string): ProfilePaths {
  const plugin = join(profile, "plugins", PLUGIN_NAME);
  return {
    profile,
    plugin,
    config: join(plugin, "config.json"),
    manifest: join(plugin, "manifest.json"),
    state: join(plugin, "state"),
    running: join(plugin, "state", "running"),
  };
}

/**
 * The profile's root according to the environment.
 * @throws {Error} when neither `PLEXUM_PROFILE_ROOT` nor `HOME` is set.
 */
export function profileRoot(env: (name: string) => string | undefined): string {
  const root = env("PLEXUM_PROFILE_ROOT");
  if (root !== undefined && root !== "") return isAbsolute(root) ? root : resolve(root);
  const home = env("HOME");
  if (home === undefined || home === "") {
    throw new Error(
      "Cannot find the Plexum profile: neither PLEXUM_PROFILE_ROOT nor HOME is set. Set PLEXUM_PROFILE_ROOT to the profile's directory.",
    );
  }
  return join(home, ".plexum");
}

/** A longer one leaves no room for a socket's name: its whole path may have 107 bytes. */
const RUNTIME_DIRECTORY_BYTES = 80;

/**
 * Where sockets of host tools go: `$XDG_RUNTIME_DIR`, else the plugin's state directory, else `$TMPDIR`,
 * `/tmp` or `/var/tmp`. These come last, because codex's sandbox lets an agent write there: one could take
 * the place of another's socket. The first counts that is absolute, short enough, and takes a socket when it
 * is tried; where none does, the first that could: the turn that needs it says what is wrong with it.
 */
export function runtimeDirectory(
  env: (name: string) => string | undefined,
  state: string,
): string {
  const fits = (dir: string | undefined): dir is string =>
    dir !== undefined && isAbsolute(dir) &&
    new TextEncoder().encode(dir).length <= RUNTIME_DIRECTORY_BYTES;
  const places = [env("XDG_RUNTIME_DIR"), state, env("TMPDIR"), "/tmp", "/var/tmp"].filter(fits);
  return places.find(takesSockets) ?? places[0] ?? "/tmp";
}

/** The same for a long time: chosen once, and again when it has gone, as `/run/user/UID` does at a logout. */
export function lastingRuntimeDirectory(
  ...from: Parameters<typeof runtimeDirectory>
): () => string {
  let chosen: string | undefined;
  return () =>
    chosen !== undefined && isDirectory(chosen) ? chosen : chosen = runtimeDirectory(...from);
}

function takesSockets(directory: string): boolean {
  try {
    const { socket, remove } = makeSocketDirectory(directory);
    try {
      Deno.listen({ transport: "unix", path: socket }).close();
      return true;
    } finally {
      remove();
    }
  } catch {
    return false;
  }
}

/**
 * Where the plugin's files lie: `<profile>/plugins/plexum-openai-provider/`.
 *
 * The profile is `$PLEXUM_PROFILE_ROOT` or `~/.plexum`.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "@std/path";
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
 * Where sockets of running turns go: `$XDG_RUNTIME_DIR`, else `$TMPDIR`, else `/tmp`, else `/var/tmp`; the
 * first that is absolute, short enough, and takes a socket when it is tried. Where none does, the first
 * that could: the turn that needs it says what is wrong with it.
 */
export function runtimeDirectory(env: (name: string) => string | undefined): string {
  const fits = (dir: string | undefined): dir is string =>
    dir !== undefined && isAbsolute(dir) &&
    new TextEncoder().encode(dir).length <= RUNTIME_DIRECTORY_BYTES;
  const places = [env("XDG_RUNTIME_DIR"), env("TMPDIR"), "/tmp", "/var/tmp"].filter(fits);
  return places.find(takesSockets) ?? places[0] ?? "/tmp";
}

function takesSockets(directory: string): boolean {
  try {
    makeSocketDirectory(directory).remove();
    return true;
  } catch {
    return false;
  }
}

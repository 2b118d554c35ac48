/**
 * What the executable may do, in one place: `deno compile` bakes these in, and where nothing can be
 * compiled the same bundle runs under them.
 *
 * `--allow-run` and `--allow-net` are unscoped for a reason: a process group can only be signalled
 * with unscoped run, and a unix socket at a path known at run time only needs unscoped net (no
 * narrower flag is understood by both Deno 2.4.2 and 2.9.6). Code from outside is never imported.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--deny-import",
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env",
  "--allow-net",
];

/**
 * The flags beside the permissions. `--no-code-cache` matters for safety: the cache would be read
 * from a predictable path in the shared temp directory without any check of who wrote it. The space
 * for young objects would else double once more after hundreds of turns (24 MiB that are never given
 * back); a turn makes few of them.
 */
export const RUNTIME_FLAGS: readonly string[] = [
  "--no-config",
  "--no-check",
  "--no-code-cache",
  "--v8-flags=--max-semi-space-size=4",
];

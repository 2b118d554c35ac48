/**
 * Whose file is it? Asked before anything in codex's home or in our state is trusted or changed.
 *
 * `Deno.uid()` needs `--allow-sys`, which this program does not ask for. The owner of a file that was
 * created a moment ago is the same answer; it is asked for once per process.
 *
 * @module
 */

let own: number | null | undefined;

/** The user id this process creates files as; `null` where the platform has none. */
export function ownUid(): number | null {
  if (own === undefined) {
    const probe = Deno.makeTempFileSync({ prefix: "plexum-owner-" });
    try {
      own = Deno.lstatSync(probe).uid;
    } finally {
      Deno.removeSync(probe);
    }
  }
  return own;
}

/** Says why `path` must not be used as a regular file of ours; `undefined` where it may. */
export function whyNotOwnFile(info: Deno.FileInfo): string | undefined {
  if (info.isSymlink) return "it is a symbolic link";
  if (!info.isFile) return "it is not a regular file";
  if (info.uid !== ownUid()) return `it belongs to user ${info.uid}, not to user ${ownUid()}`;
  return undefined;
}

/** Whether a directory can be written to. */

/** Tried, not guessed: the owner's bits say nothing about a read-only file system. */
export function isWritable(directory: string | undefined): boolean {
  if (directory === undefined) return false;
  try {
    Deno.removeSync(Deno.makeTempFileSync({ dir: directory, prefix: ".plexum-doctor-" }));
    return true;
  } catch {
    return false;
  }
}

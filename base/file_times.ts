/**
 * A file's times, carried over exactly.
 *
 * Deno reads and sets times in milliseconds, file systems keep nanoseconds. `touch -r` copies them
 * exactly; where it is not to be had, the milliseconds are what is left.
 *
 * @module
 */

/** Gives the file `to` the access and modification time of `from`. */
export function copyTimes(from: string, to: string): void {
  if (touched(from, to)) return;
  const { atime, mtime } = Deno.statSync(from);
  if (atime !== null && mtime !== null) Deno.utimeSync(to, atime, mtime);
}

function touched(from: string, to: string): boolean {
  try {
    const touch = new Deno.Command("touch", {
      args: ["-c", "-r", from, "--", to],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    return touch.outputSync().success;
  } catch {
    return false;
  }
}

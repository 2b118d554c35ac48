/**
 * A file's times, carried over exactly.
 *
 * Deno reads and sets times in milliseconds, file systems keep nanoseconds. `touch -r` copies them
 * exactly; where it is not to be had, the milliseconds are what is left.
 *
 * @module
 */
import { runProgram } from "./program.ts";

const TOUCH_MS = 5_000;

/** Gives the file `to` the access and modification time of `from`. */
export async function copyTimes(from: string, to: string): Promise<void> {
  if (await touched(from, to)) return;
  const { atime, mtime } = Deno.statSync(from);
  if (atime !== null && mtime !== null) Deno.utimeSync(to, atime, mtime);
}

async function touched(from: string, to: string): Promise<boolean> {
  const args = ["-c", "-r", from, "--", to];
  try {
    return (await runProgram("touch", args, { timeMs: TOUCH_MS, lookup: true })).code === 0;
  } catch {
    return false;
  }
}

/**
 * The mark of a turn: how each of its processes is found again, whatever it did to get away.
 *
 * A turn is named by a UUID, and codex is started with that name twice over:
 * - in the environment, which every child inherits that is not given another one;
 * - on Linux also as a resource limit. `RLIMIT_LOCKS` has had no effect since Linux 2.4.25, but it is
 *   still inherited by every fork and every exec. So it marks what was double-forked out of the
 *   process tree, in a session of its own, with an empty environment. It can be read of any process
 *   (`/proc/<pid>/limits`), also of those that hide their environment, as codex itself does.
 *
 * @module
 */

/** The variable that marks every process of a turn. */
export const TURN_MARK = "PLEXUM_TURN";

/** A fresh mark: a UUID. */
export function newMark(): string {
  return crypto.randomUUID();
}

/** The mark as a limit: 18 digits that nobody sets by chance. */
export function limitOf(mark: string): string {
  const bits = mark.replaceAll("-", "").slice(0, 14);
  return String(BigInt(`0x${bits}`) + 10n ** 17n);
}

/** A command line that becomes `command` (same process) with the limit of `mark`. */
export function markedCommand(
  command: string,
  args: readonly string[],
  mark: string,
): { path: string; args: string[] } {
  const prlimit = findPrlimit();
  if (prlimit === undefined) return { path: command, args: [...args] };
  const limit = limitOf(mark);
  return { path: prlimit, args: [`--locks=${limit}:${limit}`, command, ...args] };
}

/** Whether the mark is also set as a limit, so that it alone finds codex and all it starts. */
export function marksByLimit(): boolean {
  return findPrlimit() !== undefined;
}

let prlimitPath: string | undefined | null = null;

/** util-linux has it, which every ordinary Linux has; busybox has not. */
function findPrlimit(): string | undefined {
  if (prlimitPath !== null) return prlimitPath;
  const places = Deno.build.os === "linux" ? ["/usr/bin/prlimit", "/bin/prlimit"] : [];
  return prlimitPath = places.find(canMark);
}

/**
 * Whether it may set any mark: not where the limit is lowered already (a plugin inside a turn of
 * another one), nor where the system call is forbidden. A codex must not fail for that.
 */
function canMark(prlimit: string): boolean {
  try {
    const highest = limitOf("ffffffff-ffff-ffff-ffff-ffffffffffff");
    const args = [`--locks=${highest}:${highest}`, prlimit, "--version"];
    return new Deno.Command(prlimit, { args, stdin: "null", stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

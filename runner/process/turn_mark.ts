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
import { runProgram } from "../../base/program.ts";

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

/** A command line that becomes codex, in the same process. */
export interface MarkedCommand {
  path: string;
  args: string[];
  /** Whether whoever starts it has to give it a session of its own. */
  detached: boolean;
}

/**
 * A command line that becomes `command` with the limit of `mark`, in a session of its own.
 *
 * Deno could make the session (`detached`), but forks for that, which copies the page tables of all our
 * memory: 3.6 ms with 100 MiB, against 0.7 ms to start the program and 1 ms for it to become the next.
 */
export function markedCommand(
  command: string,
  args: readonly string[],
  mark: string,
): MarkedCommand {
  const limit = limitOf(mark);
  return limitedCommand(command, args, `${limit}:${limit}`);
}

/** The same for a process that lives longer than one turn: its mark can be changed by {@link remark}. */
export function remarkableCommand(
  command: string,
  args: readonly string[],
  mark: string,
): MarkedCommand {
  return limitedCommand(command, args, `${limitOf(mark)}:`);
}

/** How long `prlimit` may take. It takes 1 ms. */
const REMARK_MS = 5_000;

/** Gives a running process another mark, which all that it starts from now on inherits. */
export async function remark(pid: number, mark: string): Promise<boolean> {
  const through = findLaunchers();
  if (through === undefined) return false;
  // Only the soft limit: who lowers the hard one cannot raise it again.
  const args = ["--pid", String(pid), `--locks=${limitOf(mark)}:`];
  return await runProgram(through.prlimit, args, { lookup: true, timeMs: REMARK_MS })
    .then(({ code }) => code === 0, () => false);
}

function limitedCommand(command: string, args: readonly string[], locks: string): MarkedCommand {
  const through = findLaunchers();
  if (through === undefined) return { path: command, args: [...args], detached: true };
  return {
    path: through.setsid,
    args: [through.prlimit, `--locks=${locks}`, command, ...args],
    detached: false,
  };
}

/** Whether the mark is also set as a limit, so that it alone finds codex and all it starts. */
export function marksByLimit(): boolean {
  return findLaunchers() !== undefined;
}

/** Programs that do something to themselves and become another one. */
interface Launchers {
  setsid: string;
  prlimit: string;
}

/** `null` until they were looked for. */
let launchers: Launchers | undefined | null = null;

/** util-linux has both, which every ordinary Linux has; busybox has no `prlimit`. */
function findLaunchers(): Launchers | undefined {
  if (launchers !== null) return launchers;
  const places = Deno.build.os === "linux" ? ["/usr/bin", "/bin"] : [];
  return launchers = places
    .map((place) => ({ setsid: `${place}/setsid`, prlimit: `${place}/prlimit` }))
    .find(canMark);
}

/**
 * Whether they may set any mark: not where the limit is lowered already (a plugin inside a turn of
 * another one), nor where the system call is forbidden. A codex must not fail for that. Asked once, of two
 * programs of the system that end in 3 ms.
 */
function canMark({ setsid, prlimit }: Launchers): boolean {
  try {
    const highest = limitOf("ffffffff-ffff-ffff-ffff-ffffffffffff");
    const args = [prlimit, `--locks=${highest}:${highest}`, prlimit, "--version"];
    const nothing = { stdin: "null", stdout: "null", stderr: "null" } as const;
    return new Deno.Command(setsid, { args, cwd: "/", ...nothing }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * Which processes belong to a test: those that carry its folder in their arguments, their
 * environment or their working directory. A child that left our group, changed its session or was
 * handed to init still carries at least one of them.
 */

/** One living process; zombies are not alive. */
export interface Process {
  pid: number;
  ppid: number;
  pgid: number;
  /** Resident memory. */
  mebibytes: number;
  /** Arguments, and on systems that show it the environment too. Cut to 300 characters. */
  command: string;
}

/** Every process of this machine that has to do with the folder `root`, ourselves left out. */
export async function processesUnder(root: string): Promise<Process[]> {
  return (await allProcesses()).filter(({ pid, command }) =>
    pid !== Deno.pid && (command.includes(root) || workingDirectory(pid).startsWith(root))
  ).map((process) => ({ ...process, command: process.command.slice(0, 300) }));
}

/** Every process of this machine. */
export async function allProcesses(): Promise<Process[]> {
  return Deno.build.os === "linux" ? fromProc() : await fromPs();
}

/** From /proc, because there is not always a `ps`. */
function fromProc(): Process[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
  return pids.flatMap((pid): Process[] => {
    // State, parent and group stand behind the name, which is in parentheses and may hold some.
    const stat = read(`/proc/${pid}/stat`);
    const [state = "", ppid, pgid, ...more] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (["", "Z", "X"].includes(state)) return [];
    const command = `${read(`/proc/${pid}/cmdline`)} ${read(`/proc/${pid}/environ`)}`;
    return [{
      pid,
      ppid: Number(ppid),
      pgid: Number(pgid),
      mebibytes: Number(more[18]) * PAGE / 2 ** 20,
      command: command.replaceAll("\0", " ").trim(),
    }];
  });
}

/** Bytes; what nearly every machine has. */
const PAGE = 4096;

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // gone, or not ours to look at
  }
}

async function fromPs(): Promise<Process[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["axeww", "-o", "pid=,ppid=,pgid=,rss=,stat=,command="],
    env: { COLUMNS: "100000" },
  }).output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line): Process[] => {
    const [, numbers = "", stat, command] = /^((?:\s*\d+){4})\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || stat?.startsWith("Z")) return [];
    const [pid = 0, ppid = 0, pgid = 0, kibibytes = 0] = numbers.trim().split(/\s+/).map(Number);
    return [{ pid, ppid, pgid, mebibytes: kibibytes / 1024, command }];
  });
}

/**
 * Waits until no process under `root` is left, `but` those. Kills what is still there after `deadlineMs` and
 * throws Error with the list: a test must not leave anything behind, nor disturb the next one.
 */
export async function noProcessUnder(
  root: string,
  deadlineMs = 10_000,
  but: readonly number[] = [],
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const left = (await processesUnder(root)).filter(({ pid }) => !but.includes(pid));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      for (const { pid } of left) kill(pid);
      const list = left.map((p) => `  pid ${p.pid} of ${p.ppid}, group ${p.pgid}: ${p.command}`);
      throw new Error(`${left.length} processes were left under ${root}:\n${list.join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function workingDirectory(pid: number): string {
  try {
    return Deno.readLinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ""; // gone, not ours to look at, or a system without /proc
  }
}

/** Kills it; false where it has ended by itself. */
export function kill(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

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
  /** Arguments, and on systems that show it the environment too. Cut to 300 characters. */
  command: string;
}

/** Every process of this machine that has to do with the folder `root`, ourselves left out. */
export async function processesUnder(root: string): Promise<Process[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["axeww", "-o", "pid=,ppid=,pgid=,stat=,command="],
    env: { COLUMNS: "100000" },
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.flatMap((line): Process[] => {
    const [, pid, ppid, pgid, stat, command] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || stat?.startsWith("Z") || Number(pid) === Deno.pid) return [];
    if (!command.includes(root) && !workingDirectory(Number(pid)).startsWith(root)) return [];
    return [{
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      command: command.slice(0, 300),
    }];
  });
}

/**
 * Waits until no process under `root` is left. Kills what is still there after `deadlineMs` and
 * throws Error with the list: a test must not leave anything behind, nor disturb the next one.
 */
export async function noProcessUnder(root: string, deadlineMs = 10_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const left = await processesUnder(root);
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

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

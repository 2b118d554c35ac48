/**
 * The machine's processes, as far as one turn is concerned: who descends from its codex, who carries
 * its mark, and how to end them all.
 *
 * Three nets, because each has a hole: the tree by parent id loses what was double-forked, a
 * snapshot taken earlier loses what was born later, the mark in the environment loses what was
 * started with an empty one. A process is identified by pid and start time; pids are reused.
 *
 * `/proc` is closed to a Deno program without all permissions, so the table comes from child
 * processes: `find … cat` on Linux (no `ps` on slim images, and exact start times), `ps` elsewhere.
 *
 * @module
 */

/** A living process. */
export interface ProcessRow {
  pid: number;
  ppid: number;
  pgid: number;
  /** When it started, in whatever the platform counts; only good for comparing. */
  start: string;
}

/** The variable that marks every process of a turn. */
export const TURN_MARK = "PLEXUM_TURN";

/** How often the remaining processes are killed and counted again before we give up. */
const ROUNDS = 20;
const BETWEEN_ROUNDS_MS = 25;

/** Every living process; zombies are dead. */
export async function processTable(): Promise<ProcessRow[]> {
  if (Deno.build.os === "linux") {
    return parseProcStat(
      await output("find", [
        "/proc",
        "-maxdepth",
        "2",
        "-path",
        "/proc/[0-9]*/stat",
        "-exec",
        "cat",
        "{}",
        "+",
      ]),
    );
  }
  return parsePs(await output("ps", ["-axww", "-o", "pid=,ppid=,pgid=,stat=,lstart="]));
}

/** Rows of `/proc/<pid>/stat` files put together (proc(5): the start time is field 22). */
export function parseProcStat(text: string): ProcessRow[] {
  const rows: ProcessRow[] = [];
  // A command name may hold spaces, parentheses and newlines: fields are counted from its end.
  for (
    const [, pid, state, rest] of text.matchAll(
      /^(\d+) \([^]{0,64}?\) ([A-Za-z]) (-?\d+(?: -?\d+){20,})$/gm,
    )
  ) {
    const fields = rest?.split(" ") ?? [];
    if (state === "Z" || state === "X") continue;
    rows.push({
      pid: Number(pid),
      ppid: Number(fields[0]),
      pgid: Number(fields[1]),
      start: fields[18] ?? "",
    });
  }
  return rows;
}

function parsePs(text: string): ProcessRow[] {
  return [...text.matchAll(/^ *(\d+) +(\d+) +(\d+) +(\S+) +(.+?) *$/gm)]
    .filter(([, , , , state]) => !state?.startsWith("Z"))
    .map(([, pid, ppid, pgid, , start]) => ({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      start: start ?? "",
    }));
}

/** `root` and everything below it, and the rest of its process group. */
export function familyOf(root: number, table: readonly ProcessRow[]): ProcessRow[] {
  const family = new Map<number, ProcessRow>();
  let grown = true;
  while (grown) {
    grown = false;
    for (const row of table) {
      const belongs = row.pid === root || row.pgid === root || family.has(row.ppid);
      if (!belongs || family.has(row.pid)) continue;
      family.set(row.pid, row);
      grown = true;
    }
  }
  return [...family.values()];
}

/** Pids of living processes whose environment says `PLEXUM_TURN=<mark>`. */
export async function markedProcesses(mark: string): Promise<Set<number>> {
  const needle = `${TURN_MARK}=${mark}`;
  const text = Deno.build.os === "linux"
    ? await output("find", [
      "/proc",
      "-maxdepth",
      "2",
      "-path",
      "/proc/[0-9]*/environ",
      "-exec",
      "grep",
      "-lzF",
      "--",
      needle,
      "{}",
      "+",
    ])
    : (await output("ps", ["-axwwE", "-o", "pid=,command="])).split("\n").filter((line) =>
      line.includes(needle)
    ).join("\n");
  return new Set([...text.matchAll(/^(?:\/proc\/| *)(\d+)/gm)].map(([, pid]) => Number(pid)));
}

/**
 * Kills the turn's processes until none is left: `known` (a snapshot that may be old), what descends
 * from them now, and what carries the mark. Returns what could not be ended.
 */
export async function killFamily(
  known: readonly ProcessRow[],
  mark: string,
): Promise<ProcessRow[]> {
  for (let round = 1;; round++) {
    const [table, marked] = await Promise.all([processTable(), markedProcesses(mark)]);
    const alive = livingFamily(known, marked, table);
    if (alive.length === 0 || round === ROUNDS) return alive;
    for (const { pid } of alive) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_ROUNDS_MS));
  }
}

function livingFamily(
  known: readonly ProcessRow[],
  marked: Set<number>,
  table: ProcessRow[],
): ProcessRow[] {
  const same = (row: ProcessRow) =>
    known.some(({ pid, start }) => pid === row.pid && start === row.start);
  const roots = table.filter((row) => same(row) || marked.has(row.pid));
  const family = new Map(
    roots.flatMap(({ pid }) => familyOf(pid, table)).map((row) => [row.pid, row]),
  );
  family.delete(Deno.pid);
  return [...family.values()];
}

/** Sends a signal; a negative pid means the group. False when there is nobody to get it. */
export function signal(pid: number, name: Deno.Signal): boolean {
  try {
    Deno.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

async function output(command: string, args: string[]): Promise<string> {
  try {
    // Exit codes mean little here: processes vanish while they are looked at.
    const { stdout } = await new Deno.Command(command, { args, stdin: "null", stderr: "null" })
      .output();
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

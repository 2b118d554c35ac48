/**
 * The machine's processes: who lives, whose child it is, when it started, and who carries the mark
 * of a turn.
 *
 * `/proc` is closed to a Deno program without all permissions, so the table comes from child
 * processes: `find … cat` on Linux (no `ps` on slim images, and exact start times), `ps` elsewhere.
 *
 * @module
 */
import { limitOf, TURN_MARK } from "./turn_mark.ts";

/** A living process. Pids are reused; pid and start together are not. */
export interface ProcessRow {
  pid: number;
  ppid: number;
  pgid: number;
  /** When it started, in whatever the platform counts; only good for comparing. */
  start: string;
}

/** Every living process; zombies are dead. Empty where the system does not tell. */
export async function processTable(): Promise<ProcessRow[]> {
  if (Deno.build.os !== "linux") {
    return parsePs(await output("ps", ["-axww", "-o", "pid=,ppid=,pgid=,stat=,lstart="]));
  }
  return parseProcStat(
    await output("find", [...PROC, "-path", "/proc/[0-9]*/stat", ...EACH, "cat", "{}", "+"]),
  );
}

/** One process, or `undefined` when it is gone. */
export async function processRow(pid: number): Promise<ProcessRow | undefined> {
  const rows = Deno.build.os === "linux"
    ? parseProcStat(await output("cat", [`/proc/${pid}/stat`]))
    : parsePs(await output("ps", ["-p", `${pid}`, "-o", "pid=,ppid=,pgid=,stat=,lstart="]));
  return rows.find((row) => row.pid === pid);
}

/** Pids of living processes that carry the mark in their environment or their limits. */
export async function markedProcesses(mark: string): Promise<Set<number>> {
  const variable = `${TURN_MARK}=${mark}`;
  if (Deno.build.os !== "linux") {
    const lines = (await output("ps", ["-axwwE", "-o", "pid=,command="])).split("\n");
    return new Set(lines.filter((line) => line.includes(variable)).map((line) => parseInt(line)));
  }
  const files = ["(", "-path", "/proc/[0-9]*/environ", "-o", "-path", "/proc/[0-9]*/limits", ")"];
  const grep = ["grep", "-lF", "-e", variable, "-e", limitOf(mark), "{}", "+"];
  const names = await output("find", [...PROC, ...files, ...EACH, ...grep]);
  return new Set([...names.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid)));
}

const PROC = ["/proc", "-maxdepth", "2"];
const EACH = ["-exec"];

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

/** Lines of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePs(text: string): ProcessRow[] {
  return [...text.matchAll(/^ *(\d+) +(\d+) +(\d+) +(\S+) +(.+?) *$/gm)]
    .filter(([, , , , state]) => !state?.startsWith("Z"))
    .map(([, pid, ppid, pgid, , start]) => ({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      start: start ?? "",
    }));
}

let own: Promise<ProcessRow | undefined> | undefined;

/** This process itself; looked up once. */
export function ownProcess(): Promise<ProcessRow | undefined> {
  return own ??= processRow(Deno.pid);
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

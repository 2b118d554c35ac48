/**
 * The machine's processes: who lives, whose child it is, when it started, and who carries the mark
 * of a turn.
 *
 * `/proc` is closed to a Deno program without all permissions, so the table comes from child
 * processes: `cat` and `grep` on Linux (no `ps` on slim images, and exact start times), `ps` elsewhere.
 * They run at the end of every turn, so they are told exactly which files to read: a `find` over all
 * of `/proc` costs five times as much.
 *
 * @module
 */
import { runProgram } from "../../base/program.ts";
import { limitOf, TURN_MARK } from "./turn_mark.ts";

/** A living process. Pids are reused; pid and start together are not. */
export interface ProcessRow {
  pid: number;
  ppid: number;
  pgid: number;
  /** When it started, in whatever the platform counts; only good for comparing. */
  start: string;
}

const PS_COLUMNS = "pid=,ppid=,pgid=,stat=,lstart=";

/** Every living process; zombies are dead. Empty where the system does not tell. */
export async function processTable(): Promise<ProcessRow[]> {
  if (Deno.build.os !== "linux") {
    return parsePs(await output("ps", ["-axww", "-o", PS_COLUMNS]));
  }
  const files = (await pids()).map((pid) => `/proc/${pid}/stat`);
  return parseProcStat(await outputOver("cat", [], files));
}

/** One process, or `undefined` when it is gone. */
export async function processRow(pid: number): Promise<ProcessRow | undefined> {
  const [row] = await processRows([pid]);
  return row;
}

/** Those of `pids` that live. Cheaper than the whole table. */
export async function processRows(pids: readonly number[]): Promise<ProcessRow[]> {
  if (pids.length === 0) return [];
  if (Deno.build.os !== "linux") {
    return parsePs(await output("ps", ["-p", pids.join(","), "-o", PS_COLUMNS]));
  }
  return parseProcStat(await output("cat", pids.map((pid) => `/proc/${pid}/stat`)));
}

/** Pids of living processes that carry the mark in their environment or their limits. */
export async function markedProcesses(mark: string): Promise<Set<number>> {
  const variable = `${TURN_MARK}=${mark}`;
  if (Deno.build.os !== "linux") {
    const lines = (await output("ps", ["-axwwE", "-o", "pid=,command="])).split("\n");
    return new Set(lines.filter((line) => line.includes(variable)).map((line) => parseInt(line)));
  }
  const files = (await pids()).flatMap((pid) => [`/proc/${pid}/environ`, `/proc/${pid}/limits`]);
  const names = await outputOver("grep", ["-lsF", "-e", variable, "-e", limitOf(mark)], files);
  return new Set([...names.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid)));
}

/** Everybody's pid, as Linux lists them. */
async function pids(): Promise<string[]> {
  let names: string[];
  try {
    // Deno 2.4 lets us list `/proc`, though not read in it.
    names = [...Deno.readDirSync("/proc")].map(({ name }) => name);
  } catch {
    const paths = await output("find", ["/proc", "-maxdepth", "1", "-name", "[0-9]*"]);
    names = paths.split("\n").map((path) => path.slice("/proc/".length));
  }
  return names.filter((name) => /^\d+$/.test(name));
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

/** How long one look may take: a process can make reading its environment wait. */
const LOOK_MS = 5_000;
const LOOK_BYTES = 64 * 1024 * 1024;
/** So many files fit into one command line, whatever their pids. */
const FILES_AT_ONCE = 4000;

async function outputOver(command: string, args: string[], files: string[]): Promise<string> {
  let all = "";
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    all += await output(command, [...args, ...files.slice(at, at + FILES_AT_ONCE)]);
  }
  return all;
}

async function output(command: string, args: string[]): Promise<string> {
  try {
    // Exit codes mean little here: processes vanish while they are looked at.
    const options = { lookup: true, timeMs: LOOK_MS, maxBytes: LOOK_BYTES };
    return (await runProgram(command, args, options)).stdout;
  } catch {
    return "";
  }
}

/**
 * The machine's processes: who lives, whose child it is, when it started, who carries the mark of a
 * turn; and its memory, what they hold and what is left.
 *
 * `/proc` is closed to a Deno program without all permissions, so the table comes from child
 * processes: `cat` and `grep` on Linux (no `ps` on slim images, and exact start times), `ps` elsewhere.
 * They run at the end of every turn, so they are told exactly which files to read: a `find` over all
 * of `/proc` costs five times as much.
 *
 * @module
 */
import { ProgramError, runProgram } from "../../base/program.ts";
import { limitOf, TURN_MARK } from "./turn_mark.ts";

/** A living process. Pids are reused; pid and start together are not. */
export interface ProcessRow {
  pid: number;
  ppid: number;
  pgid: number;
  /** When it started, in whatever the platform counts; only good for comparing. */
  start: string;
  /** The name of its program, for people; at most 15 characters on Linux. */
  command: string;
}

/** What a look at all processes saw. */
export interface Look {
  /** Every living process; zombies are dead. Empty where the system does not tell. */
  table: readonly ProcessRow[];
  /** False when the look had to be broken off: who is not in the table may live all the same. */
  complete: boolean;
  /** False when a process came to its end while it was looked at: a child of it may have been missed. */
  steady: boolean;
  /** Pids of living processes, by the marks that were asked for. */
  marked: ReadonlyMap<string, ReadonlySet<number>>;
  /** Of how many processes the environment could not be read in time. */
  unread: number;
}

const PS_COLUMNS = "pid=,ppid=,pgid=,stat=,lstart=,ucomm=";
/** Forked while we look, they are not in the list yet. */
const NEWCOMERS = 64;
/** For how long nobody's environment is read when it took too long once: each turn would wait again. */
const ENVIRONMENTS_PAUSE_MS = 60_000;
let environmentsAgain = 0;
/** The pid that the system gave last when we looked last. */
let newest: number | undefined;

/** Looks at all processes, and for who carries one of `marks` in its environment or its limits. */
async function readProcesses(marks: readonly string[]): Promise<Look> {
  const variables = new Map(marks.map((mark) => [`${TURN_MARK}=${mark}`, mark]));
  if (Deno.build.os !== "linux") return await readPs(variables);
  const names = new Map([...variables, ...marks.map((mark) => [limitOf(mark), mark] as const)]);
  const listed = await listPids();
  // Who forks and exits all the time lives in a process that is younger than the list.
  const next = (newest ?? Math.max(0, ...listed)) + 1;
  const pids = new Set([...listed, ...Array.from({ length: NEWCOMERS }, (_, n) => next + n)]);
  const patterns = [STAT, ...names.keys()].flatMap((pattern) => ["-e", pattern]);
  const files = marks.length === 0 ? ["stat"] : ["stat", "limits", "environ"];
  // NUL ends a variable; -o and -H tell who has what. One program, so that what is read of a process
  // that lives for two milliseconds is read together.
  const grep = async (files: readonly string[]) => {
    const paths = [...pids].flatMap((pid) => files.map((file) => `/proc/${pid}/${file}`));
    return await outputOver("grep", ["-azsoHE", ...patterns], [...paths, "/proc/loadavg"]);
  };
  const without = marks.length > 0 && performance.now() < environmentsAgain;
  let printed = await grep(without ? ["stat", "limits"] : files);
  let look = parseLook(printed.text, names);
  let unread = without ? listed.length : 0;
  if (!printed.complete && marks.length > 0 && !without) {
    // A process can make whoever reads its environment wait; the rest is always there.
    environmentsAgain = performance.now() + ENVIRONMENTS_PAUSE_MS;
    unread = listed.length;
    const found = look.marked;
    printed = await grep(["stat", "limits"]);
    look = parseLook(printed.text, names);
    for (const [mark, pids] of found) {
      look.marked.set(mark, pids.union(look.marked.get(mark) ?? new Set()));
    }
  }
  if (look.rows.length === 0) {
    // A `grep` that does not know these options (busybox): then parentage is all there is.
    printed = await outputOver("cat", [], [...pids].map((pid) => `/proc/${pid}/stat`));
    look.rows = parseProcStat(printed.text);
  }
  newest = look.newest ?? newest;
  const seen = new Set(look.rows.map(({ row }) => row.pid));
  return {
    table: look.rows.filter(({ dead }) => !dead).map(({ row }) => row),
    complete: printed.complete,
    steady: listed.every((pid) => seen.has(pid)),
    marked: look.marked,
    unread,
  };
}

/** `(command) state ppid pgid …` in `/proc/<pid>/stat`; of /proc/loadavg the end, the newest pid. */
const STAT = String.raw`\(.*\) [A-Za-z]( -?[0-9]+){20,}|^[0-9.]+ [0-9. ]+/[0-9]+ [0-9]+`;

/** Reads what `grep -azoHE` printed: `<path>:<match>`, each ended by NUL. */
export function parseLook(
  text: string,
  names: ReadonlyMap<string, string>,
): {
  rows: { row: ProcessRow; dead: boolean }[];
  marked: Map<string, Set<number>>;
  newest: number | undefined;
} {
  const rows: { row: ProcessRow; dead: boolean }[] = [];
  const marked = new Map<string, Set<number>>();
  let newest: number | undefined;
  for (const line of text.split("\0")) {
    const [, pid, file, match = ""] = /^\/proc\/(?:(\d+)\/)?(\w+):([^]*)$/.exec(line) ?? [];
    if (file === "stat") rows.push(...parseProcStat(`${pid} ${match}`));
    else if (file === "loadavg") newest = Number(match.trim().split(" ").at(-1));
    else {
      const mark = names.get(match);
      if (mark !== undefined) marked.set(mark, (marked.get(mark) ?? new Set()).add(Number(pid)));
    }
  }
  return { rows, marked, newest };
}

async function readPs(variables: ReadonlyMap<string, string>): Promise<Look> {
  const { text, complete } = await output("ps", ["-axww", "-o", PS_COLUMNS]);
  const table = parsePs(text);
  const marked = new Map<string, Set<number>>();
  if (variables.size > 0) {
    const { text } = await output("ps", ["-axwwE", "-o", "pid=,command="]);
    for (const line of text.split("\n")) {
      for (const [variable, mark] of variables) {
        if (!line.includes(variable)) continue;
        marked.set(mark, (marked.get(mark) ?? new Set()).add(parseInt(line)));
      }
    }
  }
  return { table, complete, steady: true, marked, unread: 0 };
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
    return parsePs((await output("ps", ["-p", pids.join(","), "-o", PS_COLUMNS])).text);
  }
  const { text } = await output("cat", pids.map((pid) => `/proc/${pid}/stat`));
  return parseProcStat(text).filter(({ dead }) => !dead).map(({ row }) => row);
}

/** The program that a process runs, as a path; empty when it is gone. Linux only. */
export async function executableOf(pid: number): Promise<string> {
  return (await output("readlink", [`/proc/${pid}/exe`])).text.trim();
}

/** Those of `pids` in whose arguments `text` stands. */
export async function pidsWithArgument(pids: readonly number[], text: string): Promise<number[]> {
  if (pids.length === 0) return [];
  const lines = Deno.build.os === "linux"
    ? await output("grep", ["-lsF", "-e", text, ...pids.map((pid) => `/proc/${pid}/cmdline`)])
    : await output("ps", ["-ww", "-p", pids.join(","), "-o", "pid=,command="]);
  const found = lines.text.split("\n").filter((line) =>
    Deno.build.os === "linux" || line.includes(text)
  );
  return found.flatMap((line) => /\d+/.exec(line)?.map(Number) ?? []);
}

/** Everybody's pid, as Linux lists them. */
async function listPids(): Promise<number[]> {
  let names: string[];
  try {
    // Deno 2.4 lets us list `/proc`, though not read in it.
    names = [...Deno.readDirSync("/proc")].map(({ name }) => name);
  } catch {
    const { text } = await output("find", ["/proc", "-maxdepth", "1", "-name", "[0-9]*"]);
    names = text.split("\n").map((path) => path.slice("/proc/".length));
  }
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Rows of `/proc/<pid>/stat` files put together (proc(5): the start time is field 22). */
export function parseProcStat(text: string): { row: ProcessRow; dead: boolean }[] {
  // A command name may hold spaces, parentheses and newlines: fields are counted from its end.
  const lines = text.matchAll(/^(\d+) \(([^]{0,64}?)\) ([A-Za-z]) (-?\d+(?: -?\d+){20,})$/gm);
  return [...lines].map(([, pid, command = "", state = "", rest = ""]) => {
    const fields = rest.split(" ");
    const [ppid, pgid] = [Number(fields[0]), Number(fields[1])];
    return {
      row: { pid: Number(pid), ppid, pgid, start: fields[18] ?? "", command },
      dead: state === "Z" || state === "X",
    };
  });
}

/** Lines of `ps -o pid=,ppid=,pgid=,stat=,lstart=,ucomm=`. */
export function parsePs(text: string): ProcessRow[] {
  return [...text.matchAll(/^ *(\d+) +(\d+) +(\d+) +(\S+) +((?:\S+ +){4}\S+)(?: +(.*?))? *$/gm)]
    .filter(([, , , , state]) => !state?.startsWith("Z"))
    .map(([, pid, ppid, pgid, , start = "", command = ""]) => ({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      start,
      command,
    }));
}

/** How long one program may take over its files. It takes milliseconds. */
const READ_MS = 3_000;
const READ_BYTES = 64 * 1024 * 1024;
/** So many files fit into one command line, whatever their pids. */
const FILES_AT_ONCE = 4000;

/** What was printed; `complete` unless it had to be ended. */
interface Printed {
  text: string;
  complete: boolean;
}

async function outputOver(command: string, args: string[], files: string[]): Promise<Printed> {
  const all = { text: "", complete: true };
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const part = await output(command, [...args, ...files.slice(at, at + FILES_AT_ONCE)]);
    all.text += part.text;
    all.complete &&= part.complete;
  }
  return all;
}

/** What a program of the system prints about processes. Never rejects. */
async function output(command: string, args: string[]): Promise<Printed> {
  try {
    // Exit codes mean little here: processes vanish while they are looked at.
    // Names of commands are bytes.
    const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LC_ALL: "C" };
    const options = { lookup: true, timeMs: READ_MS, maxBytes: READ_BYTES, env };
    return { text: (await runProgram(command, args, options)).stdout, complete: true };
  } catch (error) {
    return { text: error instanceof ProgramError ? error.stdout : "", complete: false };
  }
}

/*
 * Looks at all processes of the machine, shared by all turns that want one.
 *
 * A look costs a program and some milliseconds. When many turns end at once (the host is gone, and
 * 150 codex with it), they must not each take their own: whoever asks while one is under way gets the
 * next, and all who wait get the same. So at most one is taken at a time, and none is older than its
 * question.
 */

let current: Promise<unknown> = Promise.resolve();
/** The look that has not begun yet. */
let next: { marks: Set<string>; look: Promise<Look> } | undefined;

/** A look that begins after this call; it also finds who carries `mark`. Never rejects. */
export function look(mark?: string): Promise<Look> {
  const coming = next ??= begin();
  if (mark !== undefined) coming.marks.add(mark);
  return coming.look;
}

/** Every living process; empty where the system does not tell. */
export async function processTable(): Promise<readonly ProcessRow[]> {
  return (await look()).table;
}

/** Pids of living processes that carry the mark. */
export async function markedProcesses(mark: string): Promise<ReadonlySet<number>> {
  return (await look(mark)).marked.get(mark) ?? new Set();
}

function begin(): { marks: Set<string>; look: Promise<Look> } {
  const marks = new Set<string>();
  const look = current.then(() => {
    next = undefined;
    return readProcesses([...marks]);
  });
  current = look;
  return { marks, look };
}

/*
 * Memory: what processes hold, and what is left for another one. Linux only; elsewhere nothing is known.
 */

/** What processes hold, in bytes. */
export interface Memory {
  resident: number;
  /** Of it, what is theirs alone: the program itself is shared by all that run it. */
  own: number;
}

/** The memory of those of `pids` whose program has a name that begins with `command`, put together. */
export async function memoryOf(pids: readonly number[], command: string): Promise<Memory> {
  const memory: Memory = { resident: 0, own: 0 };
  if (pids.length === 0) return memory;
  const text = await contentOf(pids.map((pid) => `/proc/${pid}/status`));
  for (const status of text.split(/^(?=Name:)/m)) {
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1];
    if (!field("Name")?.startsWith(command)) continue;
    memory.resident += Number(field("VmRSS") ?? 0) * 1024;
    memory.own += Number(field("RssAnon") ?? 0) * 1024;
  }
  return memory;
}

/** Bytes that the machine, or the container, has left; `undefined` where nobody tells. */
export async function memoryLeft(): Promise<number | undefined> {
  const group = "/sys/fs/cgroup/memory";
  return parseMemoryLeft(await contentOf(["/proc/meminfo", `${group}.max`, `${group}.current`]));
}

/** Reads `/proc/meminfo` and, after it, the limit of a control group and what it uses of that. */
export function parseMemoryLeft(text: string): number | undefined {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const [limit, used] = [...text.matchAll(/^\d+$/gm)].map(Number);
  const left = [
    ...(available === undefined ? [] : [Number(available) * 1024]),
    ...(limit === undefined || used === undefined ? [] : [Math.max(0, limit - used)]),
  ];
  return left.length === 0 ? undefined : Math.min(...left);
}

async function contentOf(paths: string[]): Promise<string> {
  return Deno.build.os === "linux" ? (await output("cat", paths)).text : "";
}

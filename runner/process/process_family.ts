/**
 * Everything that a codex started, and how to end it all.
 *
 * Three nets, because each has a hole: the tree by parent id loses what was double-forked, a
 * snapshot taken earlier loses what was born later, the mark (`turn_mark.ts`) is lost by who takes it
 * off, and may be out of reach on systems without `prlimit`. So the family is whoever was known at the
 * last look and lives, whoever descends from them or is in their process groups, and whoever bears the
 * mark; from the beginning of a turn a look is taken some times a second. A process is identified by pid and start
 * time; pids are reused.
 *
 * @module
 */
import { pause } from "../../base/timer.ts";
import {
  type Look,
  look,
  pidsWithArgument,
  type ProcessRow,
  processRows,
} from "./process_table.ts";

/** How long what is left is looked for and killed before it is given up. */
const END_MS = 5_000;
const BETWEEN_LOOKS_MS = 20;
/** So many looks in a row must find nobody, where one may have missed somebody. */
const EMPTY_LOOKS = 3;
/** How often the living are looked at … */
const WATCH_MS = 250;
/** … and at most this part of the time. */
const WATCH_SHARE = 1 / 50;

/** `root` and everything below it, and the rest of its process group. */
export function familyOf(root: number, table: readonly ProcessRow[]): ProcessRow[] {
  return withRelatives((row) => row.pid === root || row.pgid === root, table);
}

/**
 * Those of `table` that are in `known` or `marked`, what descends from them, and who is in a process
 * group with them. Never ourselves.
 */
export function livingFamily(
  known: readonly ProcessRow[],
  marked: ReadonlySet<number>,
  table: readonly ProcessRow[],
): ProcessRow[] {
  const own = table.find(({ pid }) => pid === Deno.pid);
  const roots = new Map(known.map((row) => [row.pid, row]));
  const isRoot = (row: ProcessRow): boolean => {
    const one = roots.get(row.pid);
    return marked.has(row.pid) || (one !== undefined && isSame(one, row));
  };
  const groups = new Set(table.filter(isRoot).map(({ pgid }) => pgid));
  groups.delete(own?.pgid ?? 0);
  return withRelatives((row) => isRoot(row) || groups.has(row.pgid), table)
    .filter(({ pid }) => pid !== Deno.pid);
}

function withRelatives(
  isRoot: (row: ProcessRow) => boolean,
  table: readonly ProcessRow[],
): ProcessRow[] {
  const family = new Map<number, ProcessRow>();
  let grown = true;
  while (grown) {
    grown = false;
    for (const row of table) {
      if (family.has(row.pid) || !(isRoot(row) || family.has(row.ppid))) continue;
      family.set(row.pid, row);
      grown = true;
    }
  }
  return [...family.values()];
}

/** Whether both are the same process, and not two that had the same pid. */
function isSame(a: ProcessRow, b: ProcessRow): boolean {
  return a.pid === b.pid && a.start === b.start;
}

/** Whom a family tells what it comes to know. */
export interface FamilyListener {
  /** Who belongs to it now; told when somebody is new. */
  onMembers?(rows: readonly ProcessRow[]): void;
  /** Something an operator would want to read. */
  onTrouble?(message: string, data: Record<string, unknown>): void;
}

/** The processes of one run of codex: codex itself and whatever came of it. */
export class ProcessFamily {
  readonly #root: number | undefined;
  readonly #mark: string;
  readonly #listener: FamilyListener;
  readonly #spared: readonly ProcessRow[];
  readonly #bearer: number | undefined;
  #members: readonly ProcessRow[];
  /** The process groups of the members. */
  #groups = new Set<number>();

  /**
   * @param members `root` is the pid of codex, a living child of ours; absent where `known` is all there
   * is. Who is `spared` belongs to nobody's turn: it is never ended, nor is its process group. Nor is
   * what it starts, unless one of the two bears the mark: a server of the user's would live on without
   * its browser. For a command to be taken for such a child, the spared one itself must have started it:
   * who loses its parent goes to init or to an ancestor, and who was a member stays one. `bearer` is the
   * pid of a spared one that is known to bear the mark: looks need not ask for it.
   */
  constructor(
    mark: string,
    { root, known = [], spared = [], bearer }: {
      root?: number;
      known?: readonly ProcessRow[];
      spared?: readonly ProcessRow[];
      bearer?: number;
    },
    listener: FamilyListener = {},
  ) {
    this.#mark = mark;
    this.#root = root;
    this.#members = known;
    this.#spared = spared;
    this.#bearer = bearer;
    this.#listener = listener;
    living.add(this);
  }

  /** Who belonged to it at the last look. */
  get members(): readonly ProcessRow[] {
    return this.#members;
  }

  /** From now on its members are looked for again and again: a turn begins, and with it commands. */
  watch(): void {
    if (living.has(this)) watchLiving();
  }

  /** Sends a signal to codex and its group, or to the one process that has not made it yet. */
  signal(name: Deno.Signal): void {
    if (this.#root === undefined) return;
    if (!sendSignal(-this.#root, name)) sendSignal(this.#root, name);
  }

  /**
   * Looks for everybody now.
   * @returns Who belongs to the family besides codex; `sure` unless somebody may have been missed.
   */
  async look(): Promise<{ others: ProcessRow[]; sure: boolean }> {
    const seen = await look(this.#mark);
    this.take(seen);
    const others = this.#members.filter(({ pid }) => pid !== this.#root);
    return { others, sure: seen.steady && seen.table.length > 0 };
  }

  /** Takes in what a look saw. */
  take({ table, complete, marked, unread }: Look): void {
    if (table.length === 0) return; // the system did not tell; whom we know may live on
    const listed = new Set(table.map(({ pid }) => pid));
    const unseen = complete ? [] : this.#members.filter(({ pid }) => !listed.has(pid));
    // Only a child of ours is codex: its pid may have become somebody else's.
    const root = table.filter(({ pid, ppid }) => pid === this.#root && ppid === Deno.pid);
    const before = new Set(this.#members.map(({ pid }) => pid));
    const isSpared = (row: ProcessRow) => this.#spared.some((one) => isSame(one, row));
    const known = table.filter((row) => row.pid === this.#bearer && isSpared(row));
    const bearers = new Set([...marked.get(this.#mark) ?? [], ...known.map(({ pid }) => pid)]);
    // What a spared process starts is its own. But one that bears the mark starts the turn's commands.
    const relatives = table.filter((row) => bearers.has(row.pid) || !isSpared(row));
    this.#members = [...livingFamily([...this.#members, ...root], bearers, relatives), ...unseen]
      .filter((row) => !isSpared(row));
    this.#groups = new Set(this.#members.map(({ pgid }) => pgid));
    for (const { pgid } of this.#spared) this.#groups.delete(pgid);
    // Where we are not in the table, we do not know which group is ours.
    const own = table.find(({ pid }) => pid === Deno.pid)?.pgid;
    if (own === undefined) this.#groups.clear();
    else this.#groups.delete(own);
    if (unread > 0) {
      const message = "the environment of processes could not be read in time";
      this.#listener.onTrouble?.(message, { processes: unread });
    }
    if (this.#members.some(({ pid }) => !before.has(pid))) {
      this.#listener.onMembers?.(this.#members);
    }
  }

  /**
   * Kills until nobody is left. One look that finds nobody is enough where nothing ended while it was
   * taken: of those who fork and exit all the time, one was either read or listed and gone. Else some in
   * a row must find nobody.
   * @returns Who was seen last, when the time is up.
   */
  async end(): Promise<readonly ProcessRow[]> {
    const until = performance.now() + END_MS;
    let seen: readonly ProcessRow[] = [];
    for (let empty = 0;; await pause(BETWEEN_LOOKS_MS)) {
      const { sure } = await this.look();
      if (this.#members.length > 0) {
        seen = this.#members;
        this.#kill();
        empty = 0;
      } else if (sure || ++empty >= EMPTY_LOOKS) return [];
      if (performance.now() >= until) return seen;
    }
  }

  /** SIGKILL to codex's group and to whoever was known at the last look. */
  killNow(): void {
    this.signal("SIGKILL");
    this.#kill();
  }

  /** It is no longer looked after. */
  async close(): Promise<void> {
    living.delete(this);
    if (living.size > 0) return;
    const last = watching;
    watching = undefined;
    last?.stop.abort();
    await last?.over;
  }

  #kill(): void {
    // Groups first: who forks and exits all the time has another pid by now, but is still in its group.
    for (const group of this.#groups) sendSignal(-group, "SIGKILL");
    for (const { pid } of this.#members) sendSignal(pid, "SIGKILL");
  }
}

/** Every family that is not closed yet. */
const living = new Set<ProcessFamily>();
/** The looking after all that live. */
let watching: { stop: AbortController; over: Promise<void> } | undefined;

/** Sends SIGKILL to all of every family at once, then ends them one by one. For the plugin's own end. */
export async function endEveryFamily(): Promise<void> {
  for (const family of living) family.killNow();
  await Promise.all(Array.from(living, (family) => family.end()));
}

/** One look for all of them, again and again. */
function watchLiving(): void {
  if (watching !== undefined) return;
  const stop = new AbortController();
  watching = { stop, over: watchUntil(stop.signal) };
}

async function watchUntil(stop: AbortSignal): Promise<void> {
  for (let ms = WATCH_MS;;) {
    await pause(ms, stop);
    if (stop.aborted) return;
    const began = performance.now();
    const seen = await look();
    for (const family of living) family.take(seen);
    ms = Math.max(WATCH_MS, (performance.now() - began) / WATCH_SHARE);
  }
}

/** Ends whoever of `known` lives and whoever bears the mark; returns what could not be ended. */
export async function killFamily(
  known: readonly ProcessRow[],
  mark: string,
): Promise<readonly ProcessRow[]> {
  const family = new ProcessFamily(mark, { known });
  try {
    return await family.end();
  } finally {
    await family.close();
  }
}

/** Sends a signal; a negative pid means the group. False when there is nobody to get it. */
export function sendSignal(pid: number, name: Deno.Signal): boolean {
  try {
    Deno.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/*
 * The user's `notify` program, which codex starts with its last word on a turn and does not wait for.
 */

/** How long it may go on after the turn, and how often it is looked at. */
const NOTIFY_MS = 2_000;
const NOTIFY_LOOK_MS = 50;
/** In its last argument (all versions from 0.135 to 0.171). */
const NOTIFIED = '"type":"agent-turn-complete"';

/** Gives it a moment to finish where it is among `rows`, unless `signal` aborts. */
export async function letNotifyFinish(
  rows: readonly ProcessRow[],
  signal?: AbortSignal,
): Promise<void> {
  let notifying = await pidsWithArgument(rows.map(({ pid }) => pid), NOTIFIED);
  const until = performance.now() + NOTIFY_MS;
  while (notifying.length > 0 && performance.now() < until && !signal?.aborted) {
    await pause(NOTIFY_LOOK_MS, signal);
    notifying = (await processRows(notifying)).map(({ pid }) => pid);
  }
}

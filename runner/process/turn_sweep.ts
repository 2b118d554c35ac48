/**
 * Clears away the turns of plugins that were killed: ends what they left running, removes their
 * directories. A turn whose plugin lives, wherever it does, is left alone: it holds the lock in it.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { type HeldLock, lockExisting } from "../../base/lock.ts";
import { killFamily, livingFamily } from "./process_family.ts";
import { look } from "./process_look.ts";
import type { ProcessRow } from "./process_table.ts";
import { FAMILY_FILE, LOCK_FILE, removeTree, UNFINISHED } from "./turn_directory.ts";

const Rows = z.array(z.object({
  pid: z.number(),
  ppid: z.number(),
  pgid: z.number(),
  start: z.string(),
  command: z.string(),
}));

/** A directory without a lock is just being made, unless it is older than this. */
const YOUNG_MS = 60_000;
/** A free lock is granted at once; this is for the thread pool to come round to it. */
const FREE_MS = 50;
const MARK = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a sweep came to. */
export interface Swept {
  turns: number;
  /** Processes that could not be ended. */
  survivors: { pid: number; command: string }[];
}

/** Sweeps the directories below `running`. Costs nothing when there are none. */
export async function sweepTurns(running: string): Promise<Swept> {
  const swept: Swept = { turns: 0, survivors: [] };
  for (const name of directoriesIn(running)) {
    const path = join(running, name);
    // Held until the directory is gone, so that two plugins that start at once do not share the work.
    using stale = await staleLock(path);
    if (stale === undefined) continue;
    const left = await killFamily(recorded(path), markOf(name));
    swept.survivors.push(...left.map(({ pid, command }) => ({ pid, command })));
    removeTree(path);
    swept.turns++;
  }
  return swept;
}

/** A turn of a plugin that is gone. */
export interface StaleTurn {
  mark: string;
  /** What its codex left running, as far as the process table tells. */
  family: ProcessRow[];
}

/** The turns that a sweep would clear away; only looks. */
export async function staleTurns(running: string): Promise<StaleTurn[]> {
  const turns: StaleTurn[] = [];
  for (const name of directoriesIn(running)) {
    using stale = await staleLock(join(running, name));
    if (stale === undefined) continue;
    const mark = markOf(name);
    const { table, marked } = await look(mark);
    const family = livingFamily(
      recorded(join(running, name)),
      marked.get(mark) ?? new Set(),
      table,
    );
    turns.push({ mark, family });
  }
  return turns;
}

/** The lock of a turn whose plugin is gone; `undefined` where it lives, or may be about to take it. */
async function staleLock(path: string): Promise<Partial<HeldLock> & Disposable | undefined> {
  try {
    return await lockExisting(join(path, LOCK_FILE), FREE_MS);
  } catch {
    return isYoung(path) ? undefined : { [Symbol.dispose]: () => {} };
  }
}

function recorded(path: string): ProcessRow[] {
  try {
    return z.parse(Rows, JSON.parse(Deno.readTextFileSync(join(path, FAMILY_FILE))));
  } catch {
    return [];
  }
}

/** Only what bears a mark's name: nothing else here is ours to remove. */
function directoriesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)]
      .filter(({ isDirectory, name }) => isDirectory && MARK.test(markOf(name)))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function markOf(name: string): string {
  return UNFINISHED.test(name) ? name.slice(1) : name;
}

function isYoung(path: string): boolean {
  try {
    const { mtime } = Deno.statSync(path);
    return mtime !== null && Date.now() - mtime.getTime() < YOUNG_MS;
  } catch {
    return true; // it has just been removed
  }
}

/**
 * A turn's private directory: its temporary files (images, output schema), and what the next start of the
 * plugin needs to clear away what a killed one left (below).
 *
 * It lies in the plugin's state directory, which a sandboxed agent cannot write, and is removed with
 * the turn. Its name is the turn's mark. As long as the turn's plugin lives, it holds a lock on a file in
 * it: the directory gets its name when the lock is held, and the system lets go of it when the plugin dies,
 * also in another container, where its pid would mean nothing to us.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { type HeldLock, isLocked, lockExisting, lockWithin } from "../../base/lock.ts";
import { Turnstile } from "../../base/timer.ts";
import { killFamily, livingFamily } from "./process_family.ts";
import { look, type ProcessRow, processRow } from "./process_table.ts";
import { newMark } from "./turn_mark.ts";

/** The file whose lock the turn's plugin holds. */
export const LOCK_FILE = "lock";
/** The file that says which processes the turn had when they were looked at last. */
const FAMILY_FILE = "family.json";
/** The name of a directory that is just being made: the turn's, after a dot. */
const UNFINISHED = /^\.[0-9a-f-]{36}$/;

/** A file that is nobody else's is locked at once; this is for the thread pool to come round to it. */
const LOCK_MS = 10_000;

/** On a busy disk it takes some milliseconds of the loop to make one. */
const creations = new Turnstile();

/** A directory that exists as long as its turn. */
export class TurnDirectory implements Disposable {
  readonly #lock: HeldLock;
  #link: string | undefined;

  private constructor(
    readonly path: string,
    /** Names the turn; every process of it carries it. */
    readonly mark: string,
    lock: HeldLock,
  ) {
    this.#lock = lock;
  }

  /** Makes a fresh one below `running`. */
  static async create(running: string): Promise<TurnDirectory> {
    await creations.pass();
    const mark = newMark();
    const unfinished = join(running, `.${mark}`);
    Deno.mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    let lock: HeldLock | undefined;
    try {
      lock = await lockWithin(join(unfinished, LOCK_FILE), LOCK_MS);
      if (lock === undefined) throw new Error(`Cannot lock a file in ${unfinished}`);
      const path = join(running, mark);
      Deno.renameSync(unfinished, path);
      return new TurnDirectory(path, mark, lock);
    } catch (error) {
      lock?.[Symbol.dispose]();
      removeTree(unfinished);
      throw error;
    }
  }

  /** Writes a private file and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    const path = join(this.path, name);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes, { mode: 0o600, createNew: true });
    return path;
  }

  /**
   * Another path to the directory, without a comma in it, in the first of `places` that takes one.
   * It goes with the directory; of a plugin that is killed, a link to nowhere stays.
   */
  link(places: readonly (string | undefined)[]): string {
    for (const place of places) {
      if (!place || place.includes(",")) continue;
      const link = join(place, `plexum-turn-${this.mark}`);
      try {
        Deno.symlinkSync(this.path, link);
      } catch {
        continue;
      }
      this.#link = link;
      return link;
    }
    throw new Error(`Cannot give ${this.path} a name without a comma in ${places.join(", ")}`);
  }

  /** Records the turn's processes. Never throws: without the record there only is less to go by. */
  recordFamily(rows: readonly ProcessRow[]): void {
    const temporary = join(this.path, `.${FAMILY_FILE}`);
    try {
      Deno.writeTextFileSync(temporary, JSON.stringify(rows), { mode: 0o600 });
      Deno.renameSync(temporary, join(this.path, FAMILY_FILE));
    } catch {
      // The disk is full, say.
    }
  }

  /** Records the turn's codex. Never rejects. */
  async recordCodex(pid: number): Promise<void> {
    const codex = await processRow(pid);
    if (codex !== undefined) this.recordFamily([codex]);
  }

  /** Removes the directory and all in it. */
  [Symbol.dispose](): void {
    if (this.#link !== undefined) removeTree(this.#link);
    removeTree(this.path);
    this.#lock[Symbol.dispose]();
  }
}

/** The directory of a turn that may not need one: made when it is asked for, gone with the turn. */
export class TurnFiles implements AsyncDisposable {
  readonly #running: string;
  #made: Promise<TurnDirectory> | undefined;

  /** See {@link TurnDirectory.create}. */
  constructor(running: string) {
    this.#running = running;
  }

  /** The directory; the same each time. */
  directory(): Promise<TurnDirectory> {
    return this.#made ??= TurnDirectory.create(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    made?.[Symbol.dispose]();
  }
}

/** Removes a turn's directory; what cannot be removed now is swept at the next start. */
function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Already gone, or not ours to remove.
  }
}

/*
 * Clears away the turns of plugins that were killed: ends what they left running, removes their
 * directories. A turn whose plugin lives, wherever it does, is left alone: it holds the lock in it.
 */

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
    const file = join(path, LOCK_FILE);
    // A lock that is tried in vain keeps a thread of Deno 2.4 waiting, and it has not many.
    if (await isLocked(file)) return undefined;
    return await lockExisting(file, FREE_MS);
  } catch (error) {
    // Without a file it never had a lock. One that cannot be opened now may be held.
    const never = error instanceof Deno.errors.NotFound && !isYoung(path);
    return never ? { [Symbol.dispose]: () => {} } : undefined;
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

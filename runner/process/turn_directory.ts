/**
 * A turn's private directory: its temporary files (images, output schema), and what the next start of the
 * plugin needs to clear away what a killed one left (`turn_sweep.ts`).
 *
 * It lies in the plugin's state directory, which a sandboxed agent cannot write, and is removed with
 * the turn. Its name is the turn's mark. As long as the turn's plugin lives, it holds a lock on a file in
 * it: the directory gets its name when the lock is held, and the system lets go of it when the plugin dies,
 * also in another container, where its pid would mean nothing to us.
 *
 * @module
 */
import { join } from "@std/path";
import { type HeldLock, lockWithin } from "../../base/lock.ts";
import { Turnstile } from "../../base/timer.ts";
import { type ProcessRow, processRow } from "./process_table.ts";
import { newMark } from "./turn_mark.ts";

/** The file whose lock the turn's plugin holds. */
export const LOCK_FILE = "lock";
/** The file that says which processes the turn had when they were looked at last. */
export const FAMILY_FILE = "family.json";
/** The name of a directory that is just being made: the turn's, after a dot. */
export const UNFINISHED = /^\.[0-9a-f-]{36}$/;

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
export function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Already gone, or not ours to remove.
  }
}

/**
 * One thread's rollout, to be consumed from.
 *
 * @module
 */

import { findCalls, type FoundCalls } from "./call_index.ts";
import { applyEdits, recover } from "../consume/edit.ts";
import { locateRollout } from "../locate.ts";
import type { ConsumeOp } from "../consume/markers.ts";
import { type Pending, readPending, writePending } from "../consume/pending.ts";
import { type Plan, planEdits } from "../consume/plan.ts";
import { openRollout, type RolloutFile } from "../rollout_file.ts";
import type { StateStore } from "./state.ts";
import { whileNoWriter } from "../writer_lock.ts";

/** What became of a consume. */
export type Consumed =
  | ({ kind: "done" } & Omit<Plan, "edits">)
  /** A codex is writing the thread; it is remembered. */
  | { kind: "deferred" }
  /** The thread has no rollout. */
  | { kind: "missing" };

/** Where a thread lives. */
export interface ThreadPlace {
  threadId: string;
  codexHome: string;
  rolloutPath?: string | undefined;
}

/** How often to look again when the rollout grows while its index is brought up to date. */
const ATTEMPTS = 5;

/** The files of one thread. Use it only while holding the store's lock (`alone` in `consume.ts`). */
export class ThreadFiles {
  readonly #store: StateStore;
  readonly #place: ThreadPlace;

  constructor(store: StateStore, place: ThreadPlace) {
    this.#store = store;
    this.#place = place;
  }

  get threadId(): string {
    return this.#place.threadId;
  }

  /** Whether something was deferred or interrupted. */
  get hasWork(): boolean {
    return exists(this.#file("pending")) || exists(this.#file("journal"));
  }

  /** What was deferred. A file that cannot be read is set aside and reported. */
  get pending(): Pending | undefined {
    const path = this.#file("pending");
    try {
      return readPending(path);
    } catch (error) {
      Deno.renameSync(path, `${path}.broken`);
      this.#store.warn(`${error}. It was set aside as ${path}.broken.`);
      return undefined;
    }
  }

  /** Remembers `asked`, with what was deferred before, for later. */
  defer(asked: ReadonlyMap<string, ConsumeOp>): Consumed {
    if (asked.size > 0) {
      const ops = new Map([...this.pending?.ops ?? [], ...asked]);
      writePending(this.#file("pending"), { ...this.#place, ops }, this.#store.disk);
    }
    return { kind: "deferred" };
  }

  /** Finishes what was interrupted, then consumes what was deferred and what is asked for. */
  async consume(asked: ReadonlyMap<string, ConsumeOp>): Promise<Consumed> {
    if (!await this.#recover()) return this.defer(asked);
    const pending = this.pending;
    const ops = new Map([...pending?.ops ?? [], ...asked]);
    if (ops.size === 0) return { kind: "done", found: new Set(), changed: new Set() };
    const path = await this.#locate();
    if (path === undefined) return { kind: "missing" };
    using rollout = openRollout(path, this.#place.threadId);
    const plan = await this.#carryOut(rollout, ops);
    if (plan === undefined) return this.defer(asked);
    if (pending !== undefined) {
      writePending(this.#file("pending"), { ...pending, ops: new Map() }, this.#store.disk);
    }
    return { kind: "done", found: plan.found, changed: plan.changed };
  }

  /** False when there is something to finish and a codex is writing. */
  async #recover(): Promise<boolean> {
    const journal = this.#file("journal");
    if (!exists(journal)) return true;
    const { codexHome, threadId } = this.#place;
    const free = await whileNoWriter(codexHome, threadId, () => {
      const recovery = recover(journal, this.#store.disk);
      if (recovery.kind !== "refused") return;
      const { reason, setAside } = recovery;
      this.#store.warn(`Cannot finish a consume: ${reason}. Its journal is kept as ${setAside}.`);
    });
    return free !== undefined;
  }

  async #locate(): Promise<string | undefined> {
    const { codexHome, threadId, rolloutPath } = this.#place;
    const located = await locateRollout(codexHome, threadId, rolloutPath);
    switch (located.kind) {
      case "found":
        return located.path;
      case "missing":
        return undefined;
      case "compressed":
        throw new Error(`Cannot consume in ${located.path}: codex has compressed this session`);
      case "refused":
        throw new Error(`Cannot consume in ${located.path}: ${located.reason}`);
    }
  }

  /** Plans and applies while nobody writes; `undefined` when somebody does. */
  async #carryOut(
    rollout: RolloutFile,
    ops: ReadonlyMap<string, ConsumeOp>,
  ): Promise<Plan | undefined> {
    const { codexHome, threadId } = this.#place;
    let anew = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Not under codex's lock: a first look at a large session takes its time.
      const calls = await findCalls(this.#file("calls"), rollout, ops.keys(), anew);
      const free = await whileNoWriter(codexHome, threadId, () => this.#apply(rollout, calls, ops));
      if (free === undefined) return undefined;
      if (typeof free.result === "object") return free.result;
      anew = free.result === "index is wrong";
    }
    throw new Error(`Cannot consume in ${rollout.path}: it kept changing while it was read`);
  }

  #apply(
    rollout: RolloutFile,
    calls: FoundCalls,
    ops: ReadonlyMap<string, ConsumeOp>,
  ): Plan | "rollout grew" | "index is wrong" {
    if (rollout.file.statSync().size !== calls.size) return "rollout grew";
    const plan = planEdits(rollout, calls.lines, ops);
    if (plan === undefined) return "index is wrong";
    if (plan.edits.length > 0) {
      const { path, dev, ino } = rollout;
      const { codexHome, threadId } = this.#place;
      const journal = { codexHome, threadId, path, dev, ino, size: calls.size, edits: plan.edits };
      applyEdits(journal, this.#file("journal"), this.#store.disk);
    }
    return plan;
  }

  #file(kind: "calls" | "pending" | "journal"): string {
    return this.#store.threadFile(this.#place.threadId, kind);
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

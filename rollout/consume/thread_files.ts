/**
 * One thread's rollout, to be consumed from, now or as soon as nobody writes it.
 *
 * @module
 */
import { type Disk, removeDurably, writeDurably } from "../../base/durable.ts";
import { isThere, readOwnFile, unlessMissing, UnusableFile } from "../../base/files.ts";
import { type Located, locateRollout } from "../locate.ts";
import {
  homeOf,
  openRollout,
  type RolloutFile,
  whileNoWriter,
  writerGone,
} from "../rollout_file.ts";
import { findCalls, type IndexEntry } from "../state/call_index.ts";
import type { StateStore } from "../state/state.ts";
import { applyEdits, isRolloutAway, recover } from "./edit.ts";
import { batchesOf, type ConsumeOp, isConsumeOp, type Plan, planEdits } from "./plan.ts";

/** The calls of which there is a record, and those of which one changed. */
export type Done = Omit<Plan, "edits">;

/** What became of a consume. */
export type Consumed =
  | ({ kind: "done" } & Done)
  /**
   * It is remembered: a codex is writing the thread, or has compressed it and must unpack it first, or what
   * was interrupted before it waits for a home that is not mounted.
   */
  | { kind: "deferred" }
  /** The thread has no rollout. */
  | { kind: "missing" };

/** Where a thread lives. */
export interface ThreadPlace {
  threadId: string;
  /** Where its rollout is looked for when it is not at `rolloutPath`. */
  codexHome: string;
  rolloutPath?: string | undefined;
}

/** How often to look again when the rollout grows while its index is brought up to date. */
const ATTEMPTS = 5;

/**
 * How many bytes of lines are changed in one go, which takes a tenth of a second. A codex that starts
 * meanwhile waits for it, and four times as much is in memory.
 */
const BATCH_BYTES = 2 * 1024 * 1024;

/** The files of one thread. Use it only within the store's `exclusive`. */
export class ThreadFiles {
  readonly #store: StateStore;
  readonly #place: ThreadPlace;
  readonly #batchBytes: number;

  constructor(store: StateStore, place: ThreadPlace, batchBytes = BATCH_BYTES) {
    this.#store = store;
    this.#place = place;
    this.#batchBytes = batchBytes;
  }

  get threadId(): string {
    return this.#place.threadId;
  }

  /** Whether something was deferred or interrupted. */
  get hasWork(): boolean {
    return isThere(this.#file("pending")) || this.isInterrupted;
  }

  /** Whether a consume was interrupted, so that records may be half changed. */
  get isInterrupted(): boolean {
    return isThere(this.#file("journal"));
  }

  /**
   * Resolves when no codex has the thread open any more. Resolves with false where codex has compressed the
   * rollout, which it unpacks when the thread is resumed, where what was interrupted waits for a home that is
   * not mounted, and when `signal` aborts.
   */
  async writerGone(signal: AbortSignal): Promise<boolean> {
    if (isRolloutAway(this.#file("journal"))) return false;
    const { codexHome, threadId, rolloutPath } = this.#place;
    const located = await locateRollout(codexHome, threadId, rolloutPath);
    if (located.kind === "compressed") return false;
    const path = located.kind === "missing" ? undefined : located.path;
    await writerGone(homeOf(path, codexHome), threadId, signal);
    return !signal.aborted;
  }

  /**
   * What was deferred. A file with anything else in it is set aside and reported; one that cannot be read
   * now may be read later, so it stays.
   */
  get pending(): Pending | undefined {
    const path = this.#file("pending");
    try {
      return readPending(path);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof UnusableFile)) throw error;
      Deno.renameSync(path, `${path}.broken`);
      this.#store.warn(`${error}. It was set aside as ${path}.broken.`);
      return undefined;
    }
  }

  /** Remembers `asked`, with what was deferred before, for later. */
  async defer(asked: ReadonlyMap<string, ConsumeOp>): Promise<Consumed> {
    if (asked.size > 0) {
      const ops = new Map([...this.pending?.ops ?? [], ...asked]);
      await writePending(this.#file("pending"), { ...this.#place, ops }, this.#store.disk);
    }
    return { kind: "deferred" };
  }

  /** Finishes what was interrupted, then consumes what was deferred and what is asked for. */
  async consume(asked: ReadonlyMap<string, ConsumeOp>): Promise<Consumed> {
    if (!await this.#recover()) return await this.defer(asked);
    const ops = new Map([...this.pending?.ops ?? [], ...asked]);
    if (ops.size === 0) return { kind: "done", found: new Set(), changed: new Set() };
    const located = await this.#locate();
    if (located.kind === "missing") return located;
    if (located.kind === "compressed") return await this.defer(asked);
    using rollout = openRollout(located.path, this.#place.threadId);
    assertSingleName(rollout);
    const done = await this.#carryOut(rollout, asked, ops);
    if (done === undefined) return await this.defer(asked);
    const pending = this.#file("pending");
    if (isThere(pending)) await removeDurably(pending, this.#store.disk);
    return { kind: "done", ...done };
  }

  /** False when there is something to finish and a codex is writing, or the rollout is away. */
  async #recover(): Promise<boolean> {
    const recovery = await recover(this.#file("journal"), this.#store.disk);
    if (recovery.kind === "refused") {
      const { reason, setAside } = recovery;
      this.#store.warn(`Cannot finish a consume: ${reason}. Its journal is kept as ${setAside}.`);
    }
    return recovery.kind !== "busy";
  }

  async #locate(): Promise<Exclude<Located, { kind: "refused" }>> {
    const { codexHome, threadId, rolloutPath } = this.#place;
    const located = await locateRollout(codexHome, threadId, rolloutPath);
    if (located.kind !== "refused") return located;
    throw located.cause ?? new UnusableFile("consume in", located.path, located.reason);
  }

  /** Changes what is there of `ops`, in batches; `undefined` when a codex has the thread open. */
  async #carryOut(
    rollout: RolloutFile,
    asked: ReadonlyMap<string, ConsumeOp>,
    ops: ReadonlyMap<string, ConsumeOp>,
  ): Promise<Done | undefined> {
    const done: Done = { found: new Set(), changed: new Set() };
    const passed = new Set<number>(); // offsets of lines that are done with
    let anew = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Not under codex's lock: a first look at a large session takes its time.
      const calls = await findCalls(this.#file("calls"), rollout, ops.keys(), anew);
      const left = calls.lines.filter(({ offset }) => !passed.has(offset));
      const batches = batchesOf(left, this.#batchBytes);
      // A journal has one batch; so that a crash between two leaves nothing half done, it is remembered.
      if (batches.length > 1) await this.defer(asked);
      let outcome: Outcome | undefined;
      for (const batch of batches) {
        outcome = await this.#alone(rollout, () => this.#apply(rollout, batch, ops, done));
        if (outcome === undefined) return undefined;
        if (outcome === "index is wrong") break;
        for (const { offset } of batch) passed.add(offset);
      }
      anew = outcome === "index is wrong";
      if (anew) passed.clear();
      else if (outcome === calls.size) return done;
    }
    throw new Error(`Cannot consume in ${rollout.path}: it kept changing while it was read`);
  }

  /** `undefined` when a codex has the thread open. */
  async #alone<T>(rollout: RolloutFile, work: () => Promise<T>): Promise<T | undefined> {
    const home = homeOf(rollout.path, this.#place.codexHome);
    return (await whileNoWriter(home, this.#place.threadId, work))?.result;
  }

  /** Changes one batch of lines. */
  async #apply(
    rollout: RolloutFile,
    batch: readonly IndexEntry[],
    ops: ReadonlyMap<string, ConsumeOp>,
    done: Done,
  ): Promise<Outcome> {
    const plan = await planEdits(rollout, batch, ops);
    if (plan === undefined) return "index is wrong";
    const { size } = rollout.file.statSync();
    if (plan.edits.length > 0) {
      const { threadId, path, dev, ino } = rollout;
      const codexHome = homeOf(path, this.#place.codexHome);
      const journal = { codexHome, threadId, path, dev, ino, size, edits: plan.edits };
      await applyEdits(journal, this.#file("journal"), this.#store.disk);
    }
    for (const id of plan.found) done.found.add(id);
    for (const id of plan.changed) done.changed.add(id);
    return size;
  }

  #file(kind: "calls" | "pending" | "journal"): string {
    return this.#store.threadFile(this.#place.threadId, kind);
  }
}

/** Of a batch: the rollout's size as it was changed, or that the lines were not what the index said. */
type Outcome = number | "index is wrong";

/** A hard-linked copy of the session would change with it. */
function assertSingleName({ path, file }: RolloutFile): void {
  const names = file.statSync().nlink ?? 1;
  if (names <= 1) return;
  throw new UnusableFile(
    "consume in",
    path,
    `the file has ${names} names (hard links), and what stands under the ` +
      `others would change, too. Replace it by a copy of itself.`,
  );
}

/*
 * Consumes that could not be done yet, because a codex was writing the thread.
 *
 * One file per thread, replaced as a whole; the last op for a call id counts. It also names where the
 * thread lives, so that what is pending can be applied without the agent that asked for it.
 */

/** What is to be done to a thread as soon as nobody writes it. */
export interface Pending {
  codexHome: string;
  rolloutPath?: string;
  ops: Map<string, ConsumeOp>;
}

/** Reads what is pending; `undefined` where nothing is. Throws SyntaxError where the file is broken. */
export function readPending(path: string): Pending | undefined {
  const bytes = unlessMissing(() => readOwnFile(path));
  if (bytes === undefined) return undefined;
  const stored: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!isStored(stored)) throw new SyntaxError(`Cannot read ${path}: it lists no mutations`);
  const { codexHome, rolloutPath, mutations } = stored;
  const ops = new Map(mutations.flatMap(([id, op]) => isConsumeOp(op) ? [[id, op]] : []));
  return { codexHome, ops, ...(rolloutPath === undefined ? {} : { rolloutPath }) };
}

/** Remembers durably what is pending. */
async function writePending(path: string, pending: Pending, disk: Disk): Promise<void> {
  const { codexHome, rolloutPath, ops } = pending;
  const stored = { version: 1, codexHome, rolloutPath, mutations: [...ops] };
  await writeDurably(path, new TextEncoder().encode(JSON.stringify(stored) + "\n"), disk);
}

interface Stored {
  codexHome: string;
  rolloutPath?: string;
  mutations: [id: string, op: string][];
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== "object" || value === null) return false;
  if (!("codexHome" in value) || typeof value.codexHome !== "string") return false;
  if (!("mutations" in value) || !Array.isArray(value.mutations)) return false;
  if ("rolloutPath" in value && typeof value.rolloutPath !== "string") return false;
  return value.mutations.every((entry) =>
    Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "string"
  );
}

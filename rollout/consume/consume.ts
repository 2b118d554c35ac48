/**
 * Consumes calls: takes what they hold out of the context that codex sends to the model.
 *
 * A consume changes the thread's rollout in place (`edit.ts`), finds its records by the index of calls
 * (`call_index.ts`), and never works against a writer: while our own turn runs on the thread, or another
 * codex has it open, what was asked is remembered durably (`pending.ts`) and done before the next resume.
 * One lock per state directory makes plugin processes and concurrent requests wait for each other.
 *
 * @module
 */

import { join } from "@std/path";
import { lockWithin } from "../../base/lock.ts";
import { type ConsumeOp, isConsumeOp } from "./markers.ts";
import { importSessionFile } from "../state/session_file.ts";
import type { StateStore } from "../state/state.ts";
import { type Consumed, ThreadFiles } from "../state/thread_files.ts";
import { sweepTemporaries, threadsWithWork } from "./unfinished.ts";
import { writerGone } from "../writer_lock.ts";

/** An agent's thread in a workspace. */
export interface Session {
  store: StateStore;
  codexHome: string;
  agentId: string;
  workspace: string;
}

/** One call to be consumed. `op` is `consume-light` or `consume-heavy`; others are skipped. */
export interface Mutation {
  blockId: string;
  op: string;
}

/** A mutation that was not done. */
export interface Skipped {
  blockId: string;
  /**
   * `unknown_id`: the thread has no record of such a call; `already_small`: consumed before, or the marker
   * would not fit into the record; `unknown_op`.
   */
  reason: "unknown_id" | "already_small" | "unknown_op";
}

/** What became of a request: each distinct id is touched, deferred or skipped. */
export interface MutateResult {
  /** Mutations in the request. */
  requested: number;
  /** Calls of which a record changed. */
  touched: number;
  /** Calls remembered for later, because a codex is writing the thread. */
  deferred: number;
  skipped: Skipped[];
}

/** How long to wait for other consumes; each holds the lock for milliseconds. */
const ALONE_MS = 10_000;

/**
 * Consumes calls of the session's thread; the last op for an id wins. Throws where the rollout cannot be
 * used (compressed, not ours) or the disk fails; what had begun is then finished by `applyPending`.
 *
 * @param options.busy our own turn is running on this thread: everything is deferred.
 */
export async function mutate(
  session: Session,
  mutations: readonly Mutation[],
  options: { busy: boolean },
): Promise<MutateResult> {
  const asked = new Map(mutations.map(({ blockId, op }) => [blockId, op]));
  const ops = new Map([...asked].flatMap(([id, op]) => isConsumeOp(op) ? [[id, op]] : []));
  const result = emptyResult(mutations.length);
  for (const blockId of asked.keys()) {
    if (!ops.has(blockId)) result.skipped.push({ blockId, reason: "unknown_op" });
  }
  const thread = await threadOf(session);
  if (thread === undefined || ops.size === 0) return tally(result, ops, { kind: "missing" });
  const consumed = await alone(
    session.store,
    () => options.busy ? thread.defer(ops) : thread.consume(ops),
  );
  return tally(result, ops, consumed);
}

/**
 * Finishes what was interrupted and does what was deferred; cheap where there is nothing of it. Call it
 * before every resume and after every turn. The result is about what was deferred.
 */
export async function applyPending(session: Session): Promise<MutateResult> {
  const thread = await threadOf(session);
  if (thread === undefined || !thread.hasWork) return emptyResult(0);
  return await alone(session.store, () => finishWork(thread));
}

/**
 * The same as soon as no codex has the thread open; waits for that without polling. Resolves with nothing
 * when `signal` aborts first.
 */
export async function applyWhenFree(
  session: Session,
  signal: AbortSignal,
): Promise<MutateResult | undefined> {
  while (!signal.aborted) {
    const result = await applyPending(session);
    const thread = await threadOf(session);
    if (result.deferred === 0 || thread === undefined) return result;
    await writerGone(session.codexHome, thread.threadId, signal);
  }
  return undefined;
}

/**
 * Finishes every interrupted consume and does every deferred one that can be done; at plugin start. What
 * fails is reported as a warning and stays for the thread's next use.
 */
export async function recoverAll(store: StateStore): Promise<MutateResult> {
  const sum = emptyResult(0);
  sweepTemporaries(store);
  for (const place of threadsWithWork(store)) {
    try {
      const result = await alone(store, () => finishWork(new ThreadFiles(store, place)));
      sum.requested += result.requested;
      sum.touched += result.touched;
      sum.deferred += result.deferred;
      sum.skipped.push(...result.skipped);
    } catch (error) {
      store.warn(`Cannot finish the consumes of thread ${place.threadId}: ${error}`);
    }
  }
  return sum;
}

async function finishWork(thread: ThreadFiles): Promise<MutateResult> {
  const ops = thread.pending?.ops ?? new Map<string, ConsumeOp>();
  return tally(emptyResult(ops.size), ops, await thread.consume(new Map()));
}

async function threadOf(session: Session): Promise<ThreadFiles | undefined> {
  const { store, codexHome, agentId, workspace } = session;
  const state = store.load(agentId, workspace) ?? await importSessionFile(workspace, codexHome);
  if (state === undefined) return undefined;
  const { threadId, rolloutPath } = state;
  return new ThreadFiles(store, { threadId, codexHome, rolloutPath });
}

async function alone<T>(store: StateStore, work: () => T | Promise<T>): Promise<T> {
  const path = join(store.dir, ".lock");
  using lock = await lockWithin(path, ALONE_MS);
  if (lock === undefined) {
    throw new Error(`Cannot consume: another process held ${path} for ${ALONE_MS} ms`);
  }
  return await work();
}

function emptyResult(requested: number): MutateResult {
  return { requested, touched: 0, deferred: 0, skipped: [] };
}

function tally(
  result: MutateResult,
  ops: ReadonlyMap<string, ConsumeOp>,
  consumed: Consumed,
): MutateResult {
  for (const blockId of ops.keys()) {
    if (consumed.kind === "deferred") result.deferred++;
    else if (consumed.kind === "missing" || !consumed.found.has(blockId)) {
      result.skipped.push({ blockId, reason: "unknown_id" });
    } else if (consumed.changed.has(blockId)) result.touched++;
    else result.skipped.push({ blockId, reason: "already_small" });
  }
  return result;
}

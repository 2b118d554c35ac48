/**
 * Consumes calls: takes what they hold out of the context that codex sends to the model.
 *
 * A consume changes the thread's rollout in place (`edit.ts`), finds its records by the index of calls
 * (`call_index.ts`), and never works against a writer: while our own turn runs on the thread, or another
 * codex has it open, what was asked is remembered durably (`thread_files.ts`) and done before the next resume.
 * One lock per state directory makes plugin processes and concurrent requests wait for each other.
 *
 * @module
 */

import { errorMessage } from "../../base/error_message.ts";
import { importSessionFile, type StateStore } from "../state/state.ts";
import { type ConsumeOp, isConsumeOp } from "./plan.ts";
import { type Consumed, ThreadFiles } from "./thread_files.ts";

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

/** A consume was cut short, and what codex would read is half changed. */
export class ConsumeInterrupted extends Error {
  override name = "ConsumeInterrupted";
}

/** A mutation that was not done. */
export interface Skipped {
  blockId: string;
  /**
   * `unknown_id`: the thread has no record of such a call; `already_small`: consumed before, the
   * marker would not fit into the record, or there is none for it (a search for tools); `unknown_op`.
   */
  reason: "unknown_id" | "already_small" | "unknown_op";
}

/** What became of a request: each distinct id is touched, deferred or skipped. */
export interface MutateResult {
  /** Mutations in the request. */
  requested: number;
  /** Calls of which a record changed. */
  touched: number;
  /** Calls remembered for later: a codex is writing the thread, or has compressed it. */
  deferred: number;
  skipped: Skipped[];
}

/**
 * Consumes calls of the session's thread; the last op for an id wins. Throws where the rollout cannot be
 * used (not ours, more than one name) or the disk fails; what had begun is then finished by `applyPending`.
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
  const consumed = await session.store.exclusive(
    () => options.busy ? thread.defer(ops) : thread.consume(ops),
  );
  return tally(result, ops, consumed);
}

/**
 * Finishes what was interrupted and does what was deferred; cheap where there is nothing of it. Call it
 * before every resume. The result is about what was deferred.
 *
 * @param letGo is told the thread for which there is something to do, and sees to it that no codex of ours has
 * it loaded.
 * @throws {ConsumeInterrupted} what was interrupted cannot be finished now.
 */
export async function applyPending(
  session: Session,
  letGo: (threadId: string) => Promise<void> = () => Promise.resolve(),
): Promise<MutateResult> {
  const thread = await threadOf(session);
  if (thread === undefined || !thread.hasWork) return emptyResult(0);
  await letGo(thread.threadId);
  try {
    return await session.store.exclusive(() => finishWork(thread));
  } catch (error) {
    if (!thread.isInterrupted) throw error;
    const message = `a consume of thread ${thread.threadId} was cut short and cannot be finished`;
    throw new ConsumeInterrupted(`${message}: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Resolves when what was deferred can be tried again: no codex has the thread open any more. Resolves with
 * false where waiting for that is of no use (a later turn does it: codex has to unpack the thread first, or its
 * home is not mounted), and when `signal` aborts.
 */
export async function consumable(session: Session, signal: AbortSignal): Promise<boolean> {
  return await (await threadOf(session))?.writerGone(signal) ?? false;
}

/**
 * Finishes every interrupted consume and does every deferred one that can be done; at plugin start. What
 * fails is reported as a warning and stays for the thread's next use.
 */
export async function recoverAll(store: StateStore): Promise<MutateResult> {
  const sum = emptyResult(0);
  for (const threadId of threadsWithWork(store)) {
    try {
      const result = await store.exclusive(() => finishWork(threadWithWork(store, threadId)));
      sum.requested += result.requested;
      sum.touched += result.touched;
      sum.deferred += result.deferred;
      sum.skipped.push(...result.skipped);
    } catch (error) {
      store.warn(`Cannot finish the consumes of thread ${threadId}: ${error}`);
    }
  }
  return sum;
}

/** The threads of which a consume was deferred or interrupted. */
function threadsWithWork(store: StateStore): Set<string> {
  const names = [...Deno.readDirSync(store.dir)].map(({ name }) => name);
  return new Set(names.flatMap((name) => /^(.+)\.(?:pending|journal)$/.exec(name)?.[1] ?? []));
}

/** Such a thread, where its list of what was deferred says it is; a journal tells of itself. */
function threadWithWork(store: StateStore, threadId: string): ThreadFiles {
  const { pending } = new ThreadFiles(store, { threadId, codexHome: "" });
  return new ThreadFiles(store, { threadId, codexHome: "", ...pending });
}

async function finishWork(thread: ThreadFiles): Promise<MutateResult> {
  const ops = thread.pending?.ops ?? new Map<string, ConsumeOp>();
  return tally(emptyResult(ops.size), ops, await thread.consume(new Map()));
}

async function threadOf(session: Session): Promise<ThreadFiles | undefined> {
  const { store, codexHome, agentId, workspace } = session;
  const state = store.load(agentId, workspace) ??
    await importSessionFile(store, workspace, codexHome);
  if (state === undefined) return undefined;
  const { threadId, rolloutPath } = state;
  return new ThreadFiles(store, { threadId, codexHome, rolloutPath });
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

/**
 * `plexum/session/mutate`: old tool output is taken out of codex's context, one request after the
 * other, and never in a thread on which a turn runs. What has to wait is done as soon as it can be.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import { UnusableFile } from "../base/files.ts";
import { RpcError } from "../base/jsonrpc/frame.ts";
import {
  applyPending,
  consumable,
  mutate,
  type MutateResult as Consumed,
  type Session,
} from "../rollout/consume/consume.ts";
import type { StateStore } from "../rollout/state/state.ts";
import type { Transports } from "../runner/transports.ts";
import type { Log } from "./log.ts";
import { CODE, DEFAULT_AGENT, type MutateParams, type MutateResult } from "./protocol.ts";
import type { Stats } from "./stats.ts";
import type { TurnQueue } from "./turn_queue.ts";
import { realPathOf } from "./workspace.ts";

/** What mutations are carried out with. */
export interface MutationsOptions {
  /** Where codex keeps an agent's sessions, as configured now. */
  codexHome: (agentId: string) => string;
  store: StateStore;
  queue: Pick<TurnQueue, "hold" | "running" | "change">;
  /** Threads that are loaded in a codex which waits for its next turn. */
  threads: Pick<Transports, "release">;
  stats: Pick<Stats, "consumed">;
  log: Log;
}

/** Carries out mutations. */
export class Mutations {
  readonly #options: MutationsOptions;
  readonly #closing = new AbortController();
  /** Deferred consumes that are waited for, by agent and workspace. */
  readonly #awaited = new Map<string, Promise<void>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MutationsOptions) {
    this.#options = options;
  }

  /** Resolves when it is done or on disk; each takes milliseconds. */
  mutate(params: MutateParams): Promise<MutateResult> {
    return this.#afterOthers(() => this.#mutate(params));
  }

  /** Resolves when nothing is under way; what waits stays recorded for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#last;
    await Promise.all(this.#awaited.values());
  }

  #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #mutate(params: MutateParams): Promise<MutateResult> {
    const { codexHome, store, stats } = this.#options;
    const agentId = params.agent_id || DEFAULT_AGENT;
    const workspace = realPathOf(params.workspace);
    const asked = params.mutations.map(({ block_id, op }) => ({ blockId: block_id, op }));
    const session = { store, codexHome: codexHome(agentId), agentId, workspace };
    try {
      const result = await this.#whileIdle(
        session,
        (busy) => mutate(session, asked, { busy }),
      );
      stats.consumed(result);
      if (result.deferred > 0) this.#await(session);
      else this.#readAgain(session);
      this.#log(session, result);
      const { skipped, ...counts } = result;
      return {
        ...counts,
        skipped: skipped.map(({ blockId, reason }) => ({ block_id: blockId, reason })),
      };
    } catch (error) {
      stats.consumed();
      this.#logFailure(session, error);
      const message = errorMessage(error);
      // A session file that is not to be used is not better the next time.
      const retryable = !(error instanceof UnusableFile);
      throw new RpcError(CODE.domain, message, { kind: "internal", message, retryable });
    }
  }

  /** No turn of the agent begins meanwhile; `busy` when one may be running on its thread. */
  async #whileIdle<T>(session: Session, work: (busy: boolean) => Promise<T>): Promise<T> {
    const { queue, threads } = this.#options;
    const leave = queue.hold(session);
    try {
      if (leave !== undefined) await threads.release(session, "leave");
      return await work(leave === undefined || this.#isShared(session));
    } finally {
      leave?.();
    }
  }

  /**
   * Whether the thread may be that of another agent whose turn runs in the workspace: two agents without
   * a thread of their own may take over the one that the workspace's session file names.
   */
  #isShared({ store, agentId, workspace }: Session): boolean {
    const running = this.#options.queue.running(workspace);
    if (running === undefined) return false;
    const [ours, theirs] = [agentId, running].map((agent) =>
      store.load(agent, workspace)?.threadId
    );
    return ours === undefined || theirs === undefined || ours === theirs;
  }

  /** Sees to it that what was deferred is done as soon as nobody has the thread. */
  #await(session: Session): void {
    const key = `${session.agentId}\0${session.workspace}`;
    if (this.#awaited.has(key)) return;
    const applied = this.#applyWhenFree(session)
      .catch((error) => this.#logFailure(session, error))
      .finally(() => this.#awaited.delete(key));
    this.#awaited.set(key, applied);
  }

  async #applyWhenFree(session: Session): Promise<void> {
    const { queue } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const tried = await this.#afterOthers(() =>
        this.#whileIdle(
          session,
          async (busy) =>
            busy ? { turnOver: queue.change(signal) } : { result: await applyPending(session) },
        )
      );
      if (tried.result === undefined) await tried.turnOver;
      else if (tried.result.deferred === 0) {
        this.#readAgain(session);
        return this.#log(session, tried.result);
      } else if (!await consumable(session, signal)) {
        await queue.change(signal); // the agent's next turn unpacks it, or finds it mounted
      }
    }
  }

  /** A codex that had the thread loaded loads it again now: the next turn need not wait for it. */
  #readAgain(session: Session): void {
    void this.#options.threads.release(session, "reload");
  }

  #log({ agentId }: Session, { skipped: _, ...counts }: Consumed): void {
    if (counts.requested === 0) return;
    this.#options.log.write("info", "codex session mutate complete", { agent: agentId, ...counts });
  }

  #logFailure({ agentId }: Session, error: unknown): void {
    this.#options.log.write("warning", "codex session mutate failed", {
      agent: agentId,
      error: errorMessage(error),
    });
  }
}

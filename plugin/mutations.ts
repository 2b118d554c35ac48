/**
 * `plexum/session/mutate`: old tool output is taken out of codex's context, one request after the
 * other, and never in a workspace where a turn runs.
 *
 * @module
 */
import { applyWhenFree, mutate, type Session } from "../rollout/consume/consume.ts";
import type { StateStore } from "../rollout/state/state.ts";
import { errorMessage } from "../base/error_message.ts";
import type { Log } from "./log.ts";
import { CODE, type MutateParams, type MutateResult } from "./protocol.ts";
import { RpcError } from "./wire/rpc_error.ts";
import type { Stats } from "./stats.ts";
import type { TurnQueue } from "./turn_queue.ts";
import { realPathOf } from "./workspace.ts";

/** What mutations are carried out with. */
export interface MutationsOptions {
  /** Where codex keeps its sessions, as configured now. */
  codexHome: () => string;
  store: StateStore;
  queue: Pick<TurnQueue, "hold">;
  stats: Pick<Stats, "consumed">;
  log: Log;
}

/** Carries out mutations. */
export class Mutations {
  readonly #options: MutationsOptions;
  readonly #closing = new AbortController();
  /** Threads whose writer's end is awaited. */
  readonly #awaited = new Map<string, Promise<void>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MutationsOptions) {
    this.#options = options;
  }

  /** Resolves when it is done or on disk; each takes milliseconds. */
  mutate(params: MutateParams): Promise<MutateResult> {
    const result = this.#last.then(() => this.#mutate(params));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when nothing is under way; what waits for a writer stays recorded for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#last;
    await Promise.all(this.#awaited.values());
  }

  async #mutate({ agent_id: agentId, ...params }: MutateParams): Promise<MutateResult> {
    const { codexHome, store, queue, stats, log } = this.#options;
    const workspace = realPathOf(params.workspace);
    const asked = params.mutations.map(({ block_id, op }) => ({ blockId: block_id, op }));
    const leave = queue.hold(workspace);
    try {
      const session = { store, codexHome: codexHome(), agentId, workspace };
      const result = await mutate(session, asked, { busy: leave === undefined });
      const { skipped, ...counts } = result;
      stats.consumed(result);
      // Our own turn applies it itself when it ends; another codex has to be waited for.
      if (counts.deferred > 0 && leave !== undefined) this.#awaitWriter(session);
      log.write("info", "codex session mutate complete", { agent: agentId, ...counts });
      return {
        ...counts,
        skipped: skipped.map(({ blockId, reason }) => ({ block_id: blockId, reason })),
      };
    } catch (error) {
      const message = errorMessage(error);
      stats.consumed();
      log.write("warning", "codex session mutate failed", { agent: agentId, error: message });
      throw new RpcError(CODE.domain, message, { kind: "internal", message, retryable: true });
    } finally {
      leave?.();
    }
  }

  /** Applies what was deferred as soon as the codex that writes the thread is gone. */
  #awaitWriter(session: Session): void {
    const key = `${session.agentId}\0${session.workspace}`;
    if (this.#awaited.has(key)) return;
    const { log } = this.#options;
    const applied = applyWhenFree(session, this.#closing.signal).then(
      (result) => {
        if (result === undefined || result.requested === 0) return;
        const { requested, touched } = result;
        log.write("info", "codex session mutate complete", {
          agent: session.agentId,
          requested,
          touched,
        });
      },
      (error) =>
        log.write("warning", "codex session mutate failed", {
          agent: session.agentId,
          error: errorMessage(error),
        }),
    ).finally(() => this.#awaited.delete(key));
    this.#awaited.set(key, applied);
  }
}

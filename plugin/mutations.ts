/**
 * `plexum/session/mutate`: old tool output is taken out of codex's context, one request after the
 * other, and never in a workspace where a turn runs.
 *
 * @module
 */
import { mutate } from "../rollout/consume.ts";
import type { StateStore } from "../rollout/state.ts";
import { errorMessage } from "./error_message.ts";
import type { Log } from "./log.ts";
import { CODE, type MutateParams, type MutateResult } from "./protocol.ts";
import { RpcError } from "./rpc_error.ts";
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

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#last;
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
}

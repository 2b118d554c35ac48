/**
 * Consumes that had to wait for a codex to end: done before a resume and after a turn.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import { applyPending } from "../rollout/consume/consume.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";

/** Does what can be done now; the rest stays for later. Never rejects. */
export async function applyPendingConsumes(
  { agentId, workspace }: TurnRequest,
  { store, log, transports }: TurnContext,
  codexHome: string,
): Promise<void> {
  try {
    const session = { store, codexHome, agentId, workspace };
    let applied = await applyPending(session);
    if (applied.requested === 0) return;
    if (applied.deferred > 0) {
      // The codex that has the thread open may be ours, which waits for its next turn.
      await transports.release({ agentId, workspace }, "leave");
      applied = await applyPending(session);
      void transports.release({ agentId, workspace }, "reload");
    }
    const { requested, touched, deferred } = applied;
    const data = { agent: agentId, touched, requested, deferred };
    log("info", "codex session mutate complete", data);
  } catch (error) {
    const reason = errorMessage(error);
    log("warning", "codex session mutate failed", { agent: agentId, error: reason });
  }
}

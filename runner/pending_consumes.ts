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
  { store, log }: TurnContext,
  codexHome: string,
): Promise<void> {
  try {
    const session = { store, codexHome, agentId, workspace };
    const { requested, touched, deferred } = await applyPending(session);
    if (requested === 0) return;
    const data = { agent: agentId, touched, requested, deferred };
    log("info", "codex session mutate complete", data);
  } catch (error) {
    const reason = errorMessage(error);
    log("warning", "codex session mutate failed", { agent: agentId, error: reason });
  }
}

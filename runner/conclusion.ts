/**
 * What remains of a run whose thread was announced: what is remembered, what the operator is told,
 * and how the turn ends.
 *
 * @module
 */
import type { RunResult } from "./codex_run.ts";
import { instructionsFor } from "./instructions.ts";
import type { StartGate, TurnFinish } from "./start_gate.ts";
import { rememberThread, type Thread } from "./thread.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";
import { totalAfter, turnUsage, ZERO_USAGE } from "./usage.ts";
import { judge } from "./verdict.ts";

/**
 * Concludes a run.
 * @param thread The thread that was resumed; `undefined` for a new one.
 */
export async function concludeRun(
  request: TurnRequest,
  { store, log }: TurnContext,
  thread: Thread | undefined,
  result: RunResult & { threadId: string },
  gate: StartGate,
): Promise<TurnFinish> {
  const { threadId, output, rollout, survivors } = result;
  const evidence = {
    reported: output.terminal?.type === "completed" ? output.terminal.usage : undefined,
    recorded: output.recorded,
    base: thread === undefined ? ZERO_USAGE : thread.base,
  };
  rememberThread(store, request, {
    threadId,
    rolloutPath: rollout?.path,
    from: rollout?.offset ?? 0,
    base: totalAfter(evidence),
    systemDigest: instructionsFor(request.system, thread).digest,
  });
  if (rollout === undefined) {
    await gate.status(
      `no session file of thread ${threadId} was found; its tool calls are not reported`,
    );
  }
  if (survivors.length > 0) {
    log("warning", "processes of the turn survived being killed", { pids: survivors });
  }
  if (output.unknown.size > 0) {
    const counts = Object.fromEntries(output.unknown);
    log("debug", "codex printed event types this plugin does not know", counts);
  }
  const { stopReason, failure } = judge(result);
  return { end: { stopReason, usage: turnUsage(evidence), threadId }, failure };
}

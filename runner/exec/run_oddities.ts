/**
 * What the operator and the host are told of a run that is over.
 *
 * @module
 */
import type { RunResult } from "./run_result.ts";
import type { StartGate } from "../start_gate.ts";
import type { TurnContext } from "../turn_request.ts";

/** Tells what is worth knowing besides how the turn ended. */
export async function tellOddities(
  { threadId, rollout, survivors, output }: RunResult,
  gate: StartGate,
  { log }: TurnContext,
): Promise<void> {
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
}

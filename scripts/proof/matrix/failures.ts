/**
 * Scenarios of a model that refuses: the host must learn why, in the same words on every version.
 *
 * @module
 */
import { strict as assert } from "node:assert";
import type { ErrorBody } from "../../../plugin/protocol.ts";
import type { ScriptedStep } from "../../../tests/support/model/step.ts";
import type { Scenario } from "./scenario.ts";
import type { Lab } from "../../../tests/support/lab.ts";

/** Plays a turn that the model refuses; what the host is told of it. */
async function refused(lab: Lab, step: ScriptedStep, workspace?: string): Promise<ErrorBody> {
  const { turn, end } = await lab.play("hello", { steps: [step], workspace });
  assert.equal(end.stop_reason, "error");
  const [event, ...more] = turn.of("error");
  assert.ok(event !== undefined && more.length === 0, turn.story());
  return event.error;
}

/** The next turn goes on with the same thread. */
async function worksAgain(lab: Lab): Promise<void> {
  const { turn } = await lab.succeed("and now?", { steps: [{ text: "back" }] });
  assert.equal(turn.of("message_start")[0]?.resumed, true);
  assert.equal(turn.text, "back");
}

/** 401. */
export const authFailure: Scenario = {
  name: "auth-failure",
  promise: "`auth_required` with codex's own word on its login",
  async play(lab) {
    const error = { code: "invalid_api_key", message: "Incorrect API key provided" };
    const { kind, retryable, detail } = await refused(lab, { status: 401, error });
    assert.deepEqual([kind, retryable], ["auth_required", false]);
    assert.match(detail ?? "", /not logged in/i);
    await worksAgain(lab);
  },
};

/** A used-up plan. */
export const quota: Scenario = {
  name: "quota",
  promise: "`quota_exhausted`, with the time it resets where codex tells it",
  async play(lab) {
    const resets_at = 2_000_000_000;
    const limit = { type: "usage_limit_reached", plan_type: "plus", resets_at, message: "limit" };
    const reached = await refused(lab, { status: 429, error: limit });
    assert.deepEqual([reached.kind, reached.retryable], ["quota_exhausted", false]);
    const minute = Math.floor(Date.parse(reached.resets_at ?? "") / 60_000);
    assert.equal(minute, Math.floor(resets_at / 60), "codex tells minutes");
    await worksAgain(lab);
  },
};

/** A conversation that does not fit. */
export const contextOverflow: Scenario = {
  name: "context-overflow",
  promise: "`context_overflow`, whether the model's service says so by status or in the stream",
  async play(lab) {
    const message = "Your input exceeds the context window of this model.";
    const code = "context_length_exceeded";
    const other = await lab.sandbox.newWorkspace("other");
    for (
      const { kind, retryable } of [
        await refused(lab, { status: 400, error: { code, message } }),
        await refused(lab, { failed: { code, message } }, other),
      ]
    ) assert.deepEqual([kind, retryable], ["context_overflow", false]);
  },
};

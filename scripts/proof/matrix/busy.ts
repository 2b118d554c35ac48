/**
 * Scenario of a thread that somebody else is using: a codex that was not started by the plugin.
 */
import { strict as assert } from "node:assert";
import { runCodex } from "../../../tests/support/codex_run.ts";
import { RpcError } from "../../../tests/support/rpc_error.ts";
import { within } from "../../../tests/support/deadline.ts";
import type { Play, Scenario } from "./run.ts";
import type { Lab } from "../../../tests/support/lab.ts";

/** A codex that has the thread and waits for a model that says nothing; ends when disposed of. */
async function otherCodex(lab: Lab, threadId: string): Promise<AsyncDisposable> {
  const { sandbox } = lab;
  sandbox.model.setSteps([{ hang: true }]);
  const asked = sandbox.model.received(sandbox.model.asked.length + 1);
  const child = await runCodex(sandbox, "mine", { threadId });
  const output = child.output(); // nobody reads it, but it must not wait for that
  const ended = child.status.then(({ code }) => {
    throw new Error(`the other codex ended with exit code ${code} before it had the thread`);
  });
  ended.catch(() => {}); // later it may end
  await within(Promise.race([asked, ended]), "the other codex to have the thread");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await output;
    },
  };
}

/** Two turns at once, and a turn while another codex has the thread. */
export const busySession: Scenario = {
  name: "busy-session",
  promise: "two turns at once run one after the other; a thread held by another codex is " +
    "`session_busy` until that has ended",
  // A codex that stays gives its thread up after each turn, so that another can have it.
  lab: { config: { retries: 1, warm: { idle_ms: 0 } } },
  async play(lab) {
    const turns = [lab.start("one"), lab.start("two")];
    const [first, second] = await Promise.all(turns.map(({ result }) => result));
    assert.equal(second?.thread_id, first?.thread_id);
    assert.equal(turns[1]?.of("message_start")[0]?.resumed, true);
    {
      await using _other = await otherCodex(lab, first?.thread_id ?? "");
      const turn = lab.start("three");
      await assert.rejects(turn.result, (error) => {
        assert.ok(error instanceof RpcError, String(error));
        const { kind, retryable } = (error.data ?? {}) as { kind?: string; retryable?: boolean };
        assert.deepEqual([kind, retryable], ["session_busy", true], error.message);
        return true;
      });
      assert.deepEqual(turn.seen, []);
    }
    const { end } = await lab.succeed("four");
    assert.equal(end.thread_id, first?.thread_id);
  },
};

/** Where codex has no lock nobody can tell: both turns run, and neither is lost. */
export const besideAnother: Play = async (lab) => {
  const first = await lab.succeed("one");
  {
    await using _other = await otherCodex(lab, first.end.thread_id);
    const { end } = await lab.succeed("two", { steps: [{ text: "beside it" }] });
    assert.equal(end.thread_id, first.end.thread_id);
  }
  const { asked } = await lab.succeed("three");
  assert.match(JSON.stringify(asked[0]?.input), /beside it/);
};

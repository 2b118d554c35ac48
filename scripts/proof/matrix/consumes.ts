/**
 * Scenarios of consume: the host lets go of a call, and the model no longer sees it.
 *
 * @module
 */
import { strict as assert } from "node:assert";
import { callOutput, type ModelRequest } from "../../../tests/support/model/request.ts";
import type { Scenario } from "./scenario.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import { command } from "./tools.ts";

const ARGUMENTS = '{"cmd":"echo let-go-of-me; echo $((6*7))"}';

/** A command and a patch-free call beside it, then `op` on the first; the next request. */
async function consumed(lab: Lab, op: string): Promise<ModelRequest> {
  await lab.succeed("run", {
    steps: [
      {
        items: [
          command("call_old", "echo let-go-of-me; echo $((6*7))"),
          command("call_kept", "echo keep-me"),
        ],
      },
      { text: "ran" },
    ],
  });
  const result = { requested: 2, touched: 1, deferred: 0 };
  const skipped = [{ block_id: "call_none", reason: "unknown_id" }];
  assert.deepEqual(await lab.mutate(op, "call_old", "call_none"), { ...result, skipped });
  const { turn, asked } = await lab.succeed("go on");
  assert.equal(turn.of("message_start")[0]?.resumed, true);
  const [request] = asked;
  assert.ok(request !== undefined);
  assert.match(callOutput(request, "call_kept") ?? "", /keep-me/);
  return request;
}

function argumentsOf(request: ModelRequest, id: string): string | undefined {
  return request.input.find((item) => item.call_id === id && "arguments" in item)?.arguments;
}

/** The output is let go. */
export const consumeLight: Scenario = {
  name: "consume-light",
  promise: "the output is gone from the model's view, the arguments and other calls are not",
  async play(lab) {
    const request = await consumed(lab, "consume-light");
    assert.equal(callOutput(request, "call_old"), "...(consumed)");
    assert.equal(argumentsOf(request, "call_old"), ARGUMENTS);
  },
};

/** Output and arguments are let go. */
export const consumeHeavy: Scenario = {
  name: "consume-heavy",
  promise: "output and arguments are gone from the model's view, other calls are not",
  async play(lab) {
    const request = await consumed(lab, "consume-heavy");
    assert.equal(callOutput(request, "call_old"), "...(tool called)");
    assert.equal(argumentsOf(request, "call_old"), "{}");
    assert.ok(!JSON.stringify(request).includes("let-go-of-me"), "nothing of it is left");
  },
};

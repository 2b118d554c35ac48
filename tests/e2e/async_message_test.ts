/** What newer models send in the middle of a turn is told in its place, and is not the final answer. */
import { strict as assert } from "node:assert";
import { NEWEST_CODEX } from "../support/codex.ts";
import { asks, openWorld } from "./world.ts";

Deno.test("message that the model sends in the middle of its turn has the phase async", async () => {
  await using world = await openWorld(NEWEST_CODEX, {
    steps: [
      {
        items: [{
          type: "function_call",
          namespace: "functions",
          name: "send_message_to_user_async",
          args: { message: "half way there" },
          call_id: "call_1",
        }],
      },
      { text: "done" },
    ],
  });
  const { host, sandbox } = world;
  const turn = host.stream({ ...asks(sandbox.workspace, "go"), model: "gpt-6.2-sol" });
  assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
  assert.deepEqual(turn.of("text_delta").map(({ text, phase }) => [text, phase]), [
    ["half way there", "async"],
    ["\n\ndone", undefined],
  ]);
});

/**
 * Scenarios of a thread's life: cancelled, resumed, lost, compressed, compacted, and calls of it let go.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { callOutput, type ModelRequest, userTexts } from "../../../tests/support/model/request.ts";
import { walkFiles } from "../../../tests/support/files.ts";
import { type Lab, strangers } from "../../../tests/support/lab.ts";
import type { Play, Scenario } from "./run.ts";
import { command } from "../../../tests/support/model/items.ts";
import { resultOf } from "./tools.ts";

/** A running command is cancelled. */
export const cancel: Scenario = {
  name: "cancel",
  promise: "no process of the turn is left, the open call has its result, the thread goes on",
  // A codex that is being started for another turn has children of its own for a moment.
  lab: { config: { warm: { spare: false } } },
  async play(lab) {
    const turn = lab.start("sleep", { steps: [{ items: [command("sleep 1000", "call_z")] }] });
    await turn.until("tool_call_end");
    await turn.cancel();
    const end = await turn.end();
    assert.equal(end.stop_reason, "cancelled");
    assert.equal(resultOf(turn, "call_z").failed, true);
    assert.deepEqual(await strangers(lab.sandbox, lab.host), []);
    const { end: next, asked } = await lab.succeed("and now?");
    assert.equal(next.thread_id, end.thread_id);
    assert.match(asked[0] ? callOutput(asked[0], "call_z") ?? "" : "", /aborted/);
  },
};

/** A second and a third turn. */
export const resume: Scenario = {
  name: "resume",
  promise: "one thread over turns and plugin starts; the tokens are the turn's, not the thread's",
  async play(lab) {
    const usage = { input_tokens: 1000, cached_tokens: 300, output_tokens: 20 };
    const first = await lab.succeed("the word is petrel", { steps: [{ text: "yes", usage }] });
    const second = await lab.succeed("which word?", {
      steps: [(request) => ({
        text: `${userTexts(request).filter((text) => text.includes("petrel")).length} time`,
        usage: { ...usage, input_tokens: 1100 },
      })],
    });
    assert.equal(second.end.thread_id, first.end.thread_id);
    assert.equal(second.turn.of("message_start")[0]?.resumed, true);
    assert.equal(second.turn.text, "1 time");
    assert.deepEqual(second.end.usage, {
      ...{ input_tokens: 1100, cached_input_tokens: 300 },
      ...{ output_tokens: 20, reasoning_output_tokens: 0 },
    });
    await lab.restart();
    const third = await lab.succeed("still there?");
    assert.equal(third.end.thread_id, first.end.thread_id);
    assert.match(JSON.stringify(third.asked[0]?.input), /1 time/);
  },
};

/** The session file is gone. */
export const lostSession: Scenario = {
  name: "lost-session",
  promise: "a new thread is begun, the host is told, and the conversation is retold to the model",
  async play(lab) {
    const first = await lab.succeed("the word is petrel");
    for (const path of walkFiles(join(lab.sandbox.codexHome, "sessions"))) {
      await Deno.remove(path);
    }
    const { turn, end, asked } = await lab.succeed("which word?", {
      history: [
        { role: "user", content: "the word is petrel" },
        { role: "assistant", content: "ok" },
      ],
    });
    assert.notEqual(end.thread_id, first.end.thread_id);
    assert.equal(turn.of("message_start")[0]?.resumed, false);
    assert.ok(turn.of("status").some(({ data }) => data?.["kind"] === "session_lost"));
    assert.match(asked[0] ? userTexts(asked[0]).join() : "", /the word is petrel[^]*which word\?/);
  },
};

/** A turn with a call, whose session file is compressed then; and a consume of that call. */
async function compressed(lab: Lab): Promise<{ thread: string; path: string }> {
  const { end } = await lab.succeed("look", {
    steps: [{ items: [command("echo a long line to be let go", "call_1")] }, { text: "done" }],
  });
  const paths = [...walkFiles(join(lab.sandbox.codexHome, "sessions"))];
  const path = paths.find((path) => path.includes(end.thread_id)) ?? assert.fail();
  await Deno.writeFile(`${path}.zst`, zstdStored(await Deno.readFile(path)));
  await Deno.remove(path);
  const waits = { requested: 1, touched: 0, deferred: 1, skipped: [] };
  assert.deepEqual(await lab.mutate("consume-light", "call_1"), waits);
  return { thread: end.thread_id, path };
}

/** codex has put a session file that it did not need into zstd. */
export const compressedSession: Scenario = {
  name: "compressed-session",
  promise: "a session file that codex has compressed goes on, and a consume waits until it can",
  async play(lab) {
    const { thread } = await compressed(lab);
    const { end } = await lab.succeed("go on");
    assert.equal(end.thread_id, thread);
    const { asked } = await lab.succeed("once more");
    assert.match(JSON.stringify(asked[0]), /\.\.\.\(consumed\)/);
  },
};

/** Where codex cannot read it, nobody loses it. */
export const unreadableSession: Play = async (lab) => {
  const { path } = await compressed(lab);
  await assert.rejects(lab.start("go on").result, /cannot read thread .* has compressed it/);
  assert.ok((await Deno.stat(`${path}.zst`)).isFile);
};

/** A zstd frame of blocks that are stored as they are. */
function zstdStored(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const BLOCK = 100_000;
  const parts = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58)];
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const head = (block.length << 3) | (at + BLOCK >= bytes.length ? 1 : 0);
    parts.push(Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16), block);
  }
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** codex summarises a conversation that has become too long. */
export const compaction: Scenario = {
  name: "compaction",
  promise: "the host is told, the turn goes on in the same thread",
  lab: { config: { extra_args: ["-c", "model_auto_compact_token_limit=50000"] } },
  async play(lab) {
    const long = { usage: { input_tokens: 90_000, output_tokens: 10 } };
    const first = await lab.succeed("one", { steps: [{ text: "first", ...long }] });
    const { turn, end, asked } = await lab.succeed("two", {
      steps: [{ text: "SUMMARY OF THE PAST" }, { text: "second" }],
    });
    assert.equal(end.thread_id, first.end.thread_id);
    assert.equal(turn.text, "second");
    assert.ok(turn.of("status").some(({ message }) => /compacted/.test(message)), turn.story());
    assert.match(JSON.stringify(asked[1]?.input), /SUMMARY OF THE PAST/);
    assert.ok(!JSON.stringify(asked[1]?.input).includes('"first"'), "the past is summed up");
  },
};

const ARGUMENTS = '{"cmd":"echo let-go-of-me; echo $((6*7))"}';

/** A command and a patch-free call beside it, then `op` on the first; the next request. */
async function consumed(lab: Lab, op: string): Promise<ModelRequest> {
  await lab.succeed("run", {
    steps: [
      {
        items: [
          command("echo let-go-of-me; echo $((6*7))", "call_old"),
          command("echo keep-me", "call_kept"),
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

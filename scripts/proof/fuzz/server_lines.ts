/**
 * What an app-server says, in any order and any state of decay: nothing of it breaks the conversation,
 * every request of ours has an end, every one of codex's an answer, and what a turn tells of it is what the
 * protocol promises.
 *
 * A case is lines of the server's stdout.
 */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { Rpc, RpcRefusal, RpcSilence } from "../../../runner/app_server/rpc.ts";
import { TurnWire } from "../../../runner/app_server/turn_wire.ts";
import { TurnOutput } from "../../../runner/turn_output.ts";
import { Told } from "./codex_lines.ts";
import { anyValue, count, list, object, text, word } from "./json_text.ts";
import { captured, lines, mutated } from "./mutation.ts";
import { bytesOf, chunksOf, type Runner, type Target } from "./target.ts";

const THREAD = "t-1";
const item = object({
  id: word("item_0", "item_1", ""),
  type: word(
    "agentMessage",
    "reasoning",
    "commandExecution",
    "userMessage",
    "webSearch",
    "novelty",
  ),
  text,
  summary: list(text),
  query: text,
  phase: word("commentary", "final_answer"),
});
const error = object({
  message: fc.oneof(text, word("Reconnecting... 2/5")),
  codexErrorInfo: fc.oneof(
    word("other", "usageLimitExceeded"),
    object({ httpConnectionFailed: object({ httpStatusCode: word("x").map(() => "401") }) }),
  ),
  additionalDetails: text,
});
const tokens = object({ totalTokens: count, inputTokens: count, outputTokens: count });
const params = object({
  threadId: word(THREAD, THREAD, THREAD, "t-2"),
  turnId: word("u-1", "u-1", "u-2"),
  turn: object({
    id: word("u-1"),
    status: word("completed", "failed", "interrupted", "novel"),
    error,
  }),
  item,
  itemId: word("item_0", "item_1"),
  delta: text,
  summaryIndex: count,
  error,
  willRetry: fc.constantFrom("true", "false"),
  tokenUsage: object({ total: tokens, last: tokens, modelContextWindow: count }),
});
const method = word(
  ...["turn/started", "turn/completed", "item/started", "item/completed", "error", "warning"],
  ...["item/agentMessage/delta", "item/reasoning/summaryTextDelta", "thread/tokenUsage/updated"],
  ...["account/rateLimits/updated", "turn/plan/updated", "novel/thing"],
);
const line = fc.oneof(
  { weight: 12, arbitrary: object({ method, params }) },
  { weight: 2, arbitrary: object({ id: word("1", "2", "x"), method, params }) },
  { weight: 2, arbitrary: object({ id: fc.constantFrom("1", "2", "99"), result: anyValue }) },
  { weight: 1, arbitrary: object({ id: fc.constantFrom("1", "99"), error: anyValue }) },
  { weight: 1, arbitrary: anyValue },
);

/** The server's lines and what the turn tells of them. */
export const serverLines: Target = {
  cases: mutated(fc.oneof(
    lines(line, 16),
    ...["events-text", "events-reasoning", "events-shell", "retry-after-cut"].map((scenario) =>
      captured(`${scenario}.jsonl`, { maxLines: 24 }).map(unwrapped)
    ),
  )),
  open: (): Runner => ({ run: check }),
};

/** Captured lines have who said it beside what was said, and a thread of their own. */
function unwrapped(bytes: Uint8Array): Uint8Array {
  const said = new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .filter(({ dir }) => dir === "<")
    .map(({ msg }) => `${JSON.stringify(msg)}\n`);
  return bytesOf(said.join("").replaceAll(/"threadId":"[^"]*"/g, `"threadId":"${THREAD}"`));
}

async function check(bytes: Uint8Array): Promise<void> {
  const wire = new TurnWire(THREAD);
  const output = new TurnOutput(() => undefined);
  const told = new Told(bytes.length);
  const answered: unknown[] = [];
  const rpc = new Rpc((written) => {
    answered.push(JSON.parse(new TextDecoder().decode(written)));
    return Promise.resolve();
  }, (method, params) => {
    for (const event of wire.take(method, params)) told.take(output.take(event));
  });
  const asked = ["one", "two"].map((name) =>
    rpc.request(name, {}, 60_000).catch((error) => {
      assert.ok(error instanceof RpcRefusal || error instanceof RpcSilence, String(error));
    })
  );
  await rpc.read(asStream(bytes));
  await Promise.all(asked);
  assert.equal(answered.length, 2 + rpc.counts.refused, "each request of codex's is answered");
  told.end(output);
}

async function* asStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* chunksOf(bytes);
}

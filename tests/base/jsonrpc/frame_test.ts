import { strict as assert } from "node:assert";
import { decodeFrame } from "../../../base/jsonrpc/frame.ts";

const DEEP = "[".repeat(50_000) + "]".repeat(50_000);

Deno.test("frame with an id deeper than the stack is refused like any other odd id", () => {
  const frame = decodeFrame(new TextEncoder().encode(`{"id":${DEEP},"method":"turn"}`));
  assert.ok(frame.type === "broken");
  assert.match(frame.error.message, /^an id must be .*, found array$/);
});

Deno.test("frame that is one long text is not quoted back whole", () => {
  const frame = decodeFrame(new TextEncoder().encode(JSON.stringify("x".repeat(100_000))));
  assert.ok(frame.type === "broken");
  assert.match(frame.error.message, /^a frame must be a JSON object, found string "x{20,60}…$/);
});

Deno.test("answer nested deeper than anything recursive can bear is an error for whoever waits for it", () => {
  for (const answer of [`"result":${DEEP}`, `"error":{"code":1,"message":"m","data":${DEEP}}`]) {
    const frame = decodeFrame(new TextEncoder().encode(`{"id":7,${answer}}`));
    assert.ok(frame.type === "response" && frame.error !== undefined);
    assert.match(frame.error.message, /^(the answer is nested more than 1000 levels deep|m)$/);
    assert.equal(frame.error.data, undefined);
  }
});

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { decodeExecLine, readEvents } from "../../../runner/exec/wire.ts";
import type { CodexEvent } from "../../../runner/transport.ts";
import { capturedRun, capturedRuns, eventsOf } from "../captured.ts";

const decode = (value: unknown): CodexEvent | undefined =>
  decodeExecLine(
    new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
  );

Deno.test("decodeExecLine knows every line of every captured run", () => {
  for (const run of capturedRuns()) {
    const strange = eventsOf(run).filter(({ type }) => type === "unknown" || type === "broken");
    assert.deepEqual(strange, [], `${run.version} ${run.scenario}`);
    assert.equal(eventsOf(run).length, run.stdout.length);
  }
});

Deno.test("decodeExecLine reads a turn", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    const [started, begun, message, completed] = eventsOf(capturedRun(version, "text"));
    assert.equal(started?.type, "thread_started");
    assert.equal(begun?.type, "turn_started");
    assert.deepEqual(message, {
      type: "message",
      item: "item_0",
      text: "Hello world from mock, streamed in several deltas.",
    });
    assert.equal(completed?.type, "turn_completed");
  }
});

Deno.test("decodeExecLine reads usage, and none where a version leaves it out", () => {
  const usage = { input_tokens: 1234, cached_input_tokens: 1000, output_tokens: 55 };
  assert.deepEqual(decode({ type: "turn.completed", usage }), {
    type: "turn_completed",
    usage: {
      inputTokens: 1234,
      cachedInputTokens: 1000,
      outputTokens: 55,
      reasoningOutputTokens: 0,
    },
  });
  assert.deepEqual(decode({ type: "turn.completed" }), {
    type: "turn_completed",
    usage: undefined,
  });
});

Deno.test("decodeExecLine believes the last word although its figures make no sense", () => {
  const odd = decode({ type: "turn.completed", usage: { input_tokens: "many" } });
  assert.equal(odd?.type, "turn_completed");
  const reasons = [{ message: "m" }, "m", { code: 7 }, null].map((error) =>
    decode({ type: "turn.failed", error })
  );
  assert.deepEqual(reasons.map((event) => event?.type === "turn_failed" && event.message), [
    ...["m", "m", "codex gave no reason", "codex gave no reason"],
  ]);
});

Deno.test("decodeExecLine takes a top-level error for progress and an error item for a warning", () => {
  const reconnecting = "Reconnecting... 1/2 (stream disconnected)";
  assert.deepEqual(decode({ type: "error", message: reconnecting }), {
    type: "notice",
    message: reconnecting,
    reconnecting: false, // the connection stood
  });
  const again = decode({ type: "error", message: "Reconnecting... 2/5 (x)" });
  assert.ok(again?.type === "notice" && again.reconnecting);
  assert.deepEqual(
    decode({ type: "item.completed", item: { id: "item_0", type: "error", message: "Heads up" } }),
    { type: "warning", message: "Heads up" },
  );
  assert.deepEqual(decode({ type: "turn.failed", error: { message: "no" } }), {
    type: "turn_failed",
    message: "no",
  });
});

Deno.test("decodeExecLine reads an item whose id stands there twice", () => {
  const search = (event: string) =>
    `{"type":"${event}","item":{"id":"item_0","type":"web_search","id":"ws_1","query":"deno"}}`;
  assert.deepEqual(decode(search("item.started")), {
    type: "alive",
  });
  assert.deepEqual(decode(search("item.completed")), { type: "web_search", query: "deno" });
});

Deno.test("decodeExecLine names what it does not know and does not stumble over new fields", () => {
  assert.deepEqual(decode({ type: "item.plan.delta", delta: "x" }), {
    type: "unknown",
    name: "item.plan.delta",
  });
  assert.deepEqual(decode({ type: "item.completed", item: { id: "i", type: "hologram" } }), {
    type: "unknown",
    name: "item.completed hologram",
  });
  assert.deepEqual(decode({ type: "turn.started", new_field: { deep: [1] }, error: null }), {
    type: "turn_started",
  });
});

Deno.test("decodeExecLine says what is wrong with a broken line", () => {
  const reasons: [string, RegExp][] = [
    ["not json", /^not JSON \(8 bytes\)$/],
    ['{"type":"turn.comp', /^not JSON/],
    ["[1]", /^unexpected shape at the top$/],
    ['{"type":7}', /^unexpected shape at type$/],
    ['{"type":"thread.started"}', /^thread\.started without thread_id$/],
    ['{"type":"item.completed"}', /^item\.completed without item$/],
  ];
  for (const [line, reason] of reasons) {
    const event = decode(line);
    assert.equal(event?.type, "broken", line);
    assert.match(event?.type === "broken" ? event.reason : "", reason);
  }
  assert.equal(decodeExecLine(new Uint8Array([0x22, 0xff, 0x22]))?.type, "broken");
  assert.equal(decode(" \r"), undefined);
});

Deno.test("decodeExecLine never throws, whatever codex prints", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    decodeExecLine(bytes);
  }));
  fc.assert(fc.property(fc.json(), (json) => {
    decode(json);
  }));
});

Deno.test("decodeExecLine takes text with U+2028 and CRLF for what it is", () => {
  const text = "one\u2028two\u2029three";
  assert.deepEqual(
    decode(
      `${JSON.stringify({ type: "item.completed", item: { type: "agent_message", text } })}\r`,
    ),
    { type: "message", item: "", text },
  );
});

Deno.test("readEvents takes the pieces of a long line for signs of life, and lines by their newline only", async () => {
  const line = JSON.stringify({
    type: "item.completed",
    item: { type: "agent_message", text: "x" },
  });
  const bytes = new TextEncoder().encode(`${line}\n\n{"type":"turn.started"}\nlast`);
  const chunks = async function* () {
    for (const [from, to] of [[0, 5], [5, 20], [20, bytes.length]]) {
      await Promise.resolve();
      yield bytes.subarray(from, to);
    }
  };
  const types: string[] = [];
  for await (const { type } of readEvents(chunks())) types.push(type);
  assert.deepEqual(types, ["alive", "alive", "message", "turn_started", "broken"]);
});

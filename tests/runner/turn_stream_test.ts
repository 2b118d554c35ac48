import { strict as assert } from "node:assert";
import { type TurnEnd, TurnError, type TurnEvent } from "../../runner/turn_event.ts";
import { TurnStream } from "../../runner/turn_stream.ts";
import { usageTold, ZERO_USAGE } from "../../runner/thread/usage.ts";

const THREAD = "01a2030c-155d-79b3-8591-236907bf9380";
const end: TurnEnd = { stop_reason: "end_turn", usage: usageTold(ZERO_USAGE), thread_id: THREAD };
const who = { agentId: "cx", model: "fast" };

function streamed() {
  const told: TurnEvent[] = [];
  const numbers: number[] = [];
  const stream = new TurnStream({
    ...who,
    send(event, seq) {
      told.push(event);
      numbers.push(seq);
      return Promise.resolve();
    },
  });
  return { stream, told, numbers, types: () => told.map(({ type }) => type).join(" ") };
}

Deno.test("TurnStream lets nothing out before message_start, and numbers what goes out", async () => {
  const { stream, told, numbers, types } = streamed();
  await stream.status("early", { n: 1 });
  assert.equal(stream.open, false);
  assert.deepEqual(told, []);
  await stream.start(THREAD, true);
  await stream.status("late");
  assert.equal(types(), "message_start status status");
  assert.deepEqual(told[0], {
    type: "message_start",
    model: "fast",
    thread_id: THREAD,
    resumed: true,
  });
  assert.deepEqual(told[1], { type: "status", message: "early", data: { n: 1 } });
  assert.deepEqual(numbers, [0, 1, 2]);
});

Deno.test("TurnStream tells a failure right before the end, and nothing after it", async () => {
  const { stream, types } = streamed();
  await stream.start(THREAD, false);
  const failure = { kind: "network", message: "m", retryable: true } as const;
  assert.deepEqual(await stream.end({ end, failure }), end);
  await stream.status("too late");
  assert.equal(types(), "message_start error message_end");
  assert.equal(stream.summary.error, "network");
});

Deno.test("TurnStream ends a turn that was cancelled before it started with one event", async () => {
  const { stream, told, types } = streamed();
  await stream.status("early");
  await stream.end({ end: { ...end, stop_reason: "cancelled", thread_id: "" } });
  assert.equal(types(), "message_end");
  assert.deepEqual(told[0], {
    type: "message_end",
    ...end,
    stop_reason: "cancelled",
    thread_id: "",
  });
});

Deno.test("TurnStream keeps the order of what comes while its reader is slow", async () => {
  const told: string[] = [];
  const slow = Promise.withResolvers<void>();
  const stream = new TurnStream({
    ...who,
    send(event) {
      told.push(event.type === "status" ? event.message : event.type);
      return slow.promise;
    },
  });
  await stream.status("one");
  const opening = stream.start(THREAD, false);
  const after = stream.status("two");
  slow.resolve();
  await Promise.all([opening, after]);
  assert.deepEqual(told, ["message_start", "one", "two"]);
});

Deno.test("TurnStream keeps a bounded number of what comes before the start, and says so", async () => {
  for (const [size, kept] of [[10, 1000], [100_000, 10]] as const) {
    const { stream, told } = streamed();
    for (let n = 0; n < 2000; n++) await stream.status("x".repeat(size));
    await stream.start(THREAD, false);
    assert.equal(told.length, 1 + kept + 1);
    const last = told.at(-1);
    assert.equal(
      last?.type === "status" && last.message,
      `${2000 - kept} more messages came before codex announced its thread`,
    );
  }
});

Deno.test("TurnStream logs each event as size and digest where that is wanted, and one line in the end", async () => {
  const secret = "the whole story";
  const lines: [string, string, Record<string, unknown>][] = [];
  const stream = new TurnStream({
    ...who,
    send: () => Promise.resolve(),
    log: (...line) => lines.push(line),
    logsEvents: () => true,
  });
  await stream.start(THREAD, false);
  await stream.emit({ type: "text_delta", index: 0, text: secret });
  await stream.emit({ type: "tool_call_start", id: "c1", name: "search", source: "host" });
  await stream.emit({ type: "tool_result", id: "c1", output: "é", is_error: true });
  await stream.end({ end });
  assert.deepEqual(lines.map(([level, message]) => `${level} ${message}`), [
    ...Array(5).fill("debug turn event"),
    "info codex turn complete",
  ]);
  assert.ok(!JSON.stringify(lines).includes(secret), "payloads are size and digest");
  assert.match(JSON.stringify(lines[1]), /"bytes":15,"sha256":"[0-9a-f]{12}"/);
  const { tool_calls, host_tool_calls, tool_errors, tool_output_bytes, thread, input_tokens } =
    stream.summary;
  assert.deepEqual(
    { tool_calls, host_tool_calls, tool_errors, tool_output_bytes, thread, input_tokens },
    {
      tool_calls: 1,
      host_tool_calls: 1,
      tool_errors: 1,
      tool_output_bytes: 2,
      thread: THREAD,
      input_tokens: 0,
    },
  );
});

Deno.test("TurnStream says nothing of a turn that could not start, but in the log", async () => {
  const lines: Record<string, unknown>[] = [];
  const { stream, told } = streamed();
  await stream.status("early");
  const logged = new TurnStream({
    ...who,
    send: () => Promise.resolve(),
    log: (_level, message, data) => lines.push({ message, ...data }),
  });
  logged.refuse(new TurnError({ kind: "codex_missing", message: "m", retryable: false }));
  stream.refuse(new Error("broken"));
  await stream.status("late");
  assert.deepEqual(told, []);
  assert.equal(stream.summary.error, "internal");
  assert.deepEqual([lines[0]?.message, lines[0]?.error], ["codex turn refused", "codex_missing"]);
});

import { strict as assert } from "node:assert";
import { StartGate } from "../../runner/start_gate.ts";
import type { TurnEnd, TurnEvent } from "../../runner/turn_event.ts";
import { ZERO_USAGE } from "../../runner/usage.ts";

const THREAD = "01a2030c-155d-79b3-8591-236907bf9380";
const started: TurnEvent = { type: "started", threadId: THREAD, resumed: false };
const end: TurnEnd = { stopReason: "end_turn", usage: ZERO_USAGE, threadId: THREAD };

function gated() {
  const told: TurnEvent[] = [];
  const gate = new StartGate((event) => Promise.resolve(void told.push(event)));
  return { gate, told, types: () => told.map(({ type }) => type).join(" ") };
}

Deno.test("StartGate lets nothing out before started", async () => {
  const { gate, told, types } = gated();
  await gate.status("early", { n: 1 });
  assert.equal(gate.open, false);
  assert.deepEqual(told, []);
  await gate.emit(started);
  await gate.status("late");
  assert.equal(types(), "started status status");
  assert.deepEqual(told[1], { type: "status", message: "early", data: { n: 1 } });
});

Deno.test("StartGate tells a failure right before the end, and nothing after it", async () => {
  const { gate, types } = gated();
  await gate.emit(started);
  const failure = { kind: "network", message: "m", retryable: true } as const;
  assert.deepEqual(await gate.end({ end, failure }), end);
  await gate.status("too late");
  assert.equal(types(), "started error ended");
});

Deno.test("StartGate ends a turn that was cancelled before it started with one event", async () => {
  const { gate, told, types } = gated();
  await gate.status("early");
  await gate.end({ end: { ...end, stopReason: "cancelled", threadId: "" } });
  assert.equal(types(), "ended");
  assert.deepEqual(told[0], { type: "ended", ...end, stopReason: "cancelled", threadId: "" });
});

Deno.test("StartGate keeps the order of what comes while its reader is slow", async () => {
  const told: string[] = [];
  const slow = Promise.withResolvers<void>();
  const gate = new StartGate((event) => {
    told.push(event.type === "status" ? event.message : event.type);
    return slow.promise;
  });
  await gate.status("one");
  const opening = gate.emit(started);
  const after = gate.status("two");
  slow.resolve();
  await Promise.all([opening, after]);
  assert.deepEqual(told, ["started", "one", "two"]);
});

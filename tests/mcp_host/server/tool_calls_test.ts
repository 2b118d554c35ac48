import { strict as assert } from "node:assert";
import { RawJson, stringify } from "../../../base/raw_json.ts";
import type { ToolCall } from "../../../mcp_host/server/mcp_server.ts";
import {
  CALLS_MAX,
  ToolCalls,
  type ToolCallsOptions,
} from "../../../mcp_host/server/tool_calls.ts";
import { buildCatalogue } from "../../../mcp_host/server/catalogue.ts";
import type { HostToolCall, HostToolResult } from "../../../mcp_host/host_tool.ts";
import { manualTimer } from "../manual_timer.ts";

/** Calls whose host answers when the test says so. */
function openCalls(options: Partial<ToolCallsOptions> = {}) {
  const asked: (HostToolCall & { answer: (text: string) => void; fail: (e: Error) => void })[] = [];
  const clock = manualTimer();
  const calls = new ToolCalls({
    catalogue: buildCatalogue([
      { name: "wri.te" },
      { name: "read", annotations: { readOnlyHint: true } },
    ], "plexum_host"),
    toolTimeoutMs: 1000,
    resultMaxBytes: 1000,
    emptyResultFails: false,
    fault: () => Promise.resolve(undefined),
    timer: clock.timer,
    handler: () => (call) => {
      const { promise, resolve, reject } = Promise.withResolvers<HostToolResult>();
      const answer = (text: string) => resolve({ content: [{ type: "text", text }] });
      asked.push({ ...call, answer, fail: reject });
      return promise;
    },
    ...options,
  });
  const run = (name: string, over: Partial<ToolCall> = {}) =>
    calls.run({
      name,
      arguments: RawJson.of({}),
      signal: new AbortController().signal,
      ...over,
    });
  return { calls, asked, clock, run };
}

function textOf(result: HostToolResult): string {
  const { content } = JSON.parse(stringify(result));
  return content.map((part: { text: string }) => part.text).join("\n");
}

/** Lets everything happen that needs no further event. */
async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}

Deno.test("call reaches the host under its own name, with codex's call id", async () => {
  const { asked, clock, run } = openCalls();
  const result = run("wri_te", { callId: "call_1", arguments: RawJson.of({ a: 1 }) });
  await settle();
  assert.equal(asked[0]?.name, "wri.te");
  assert.equal(asked[0]?.callId, "call_1");
  assert.deepEqual(asked[0]?.arguments.value, { a: 1 });
  asked[0]?.answer("yes");
  assert.equal(textOf(await result), "yes");
  assert.deepEqual(clock.running(), []);
});

Deno.test("call of an unknown tool or with wrong arguments never reaches the host", async () => {
  const { asked, run } = openCalls({
    fault: () => Promise.resolve("arguments/q must be string"),
  });
  const unknown = await run("nope");
  assert.equal(unknown.isError, true);
  assert.equal(textOf(unknown), 'Unknown tool "nope". The tools of this turn: wri_te, read.');
  const invalid = await run("read");
  assert.equal(invalid.isError, true);
  assert.match(
    textOf(invalid),
    /Invalid arguments for read: arguments\/q must be string\. Correct/,
  );
  assert.deepEqual(asked, []);
});

Deno.test("call that the host fails becomes a result that says so", async () => {
  const { asked, run } = openCalls();
  const result = run("read");
  await settle();
  asked[0]?.fail(new Error("the host is gone"));
  const said = await result;
  assert.equal(said.isError, true);
  assert.match(textOf(said), /The tool read did not complete: the host is gone\. Its effects/);
});

Deno.test("call whose host throws at once becomes a result too", async () => {
  const { run } = openCalls({
    handler: () => () => {
      throw new TypeError("at once");
    },
  });
  assert.match(textOf(await run("read")), /did not complete: at once/);
});

Deno.test("call that takes too long is aborted at the host and answered", async () => {
  const { asked, clock, run } = openCalls();
  const result = run("read");
  await settle();
  assert.equal(asked[0]?.signal.aborted, false);
  clock.fire(1000);
  assert.match(textOf(await result), /the host did not answer within 1 s/);
  assert.equal(asked[0]?.signal.aborted, true);
  asked[0]?.fail(new Error("late"));
});

Deno.test("call that codex drops is aborted at the host", async () => {
  const { asked, clock, run } = openCalls();
  const dropped = new AbortController();
  const result = run("read", { signal: dropped.signal });
  await settle();
  dropped.abort(new Error("codex does not want it"));
  assert.match(textOf(await result), /codex does not want it/);
  assert.equal(asked[0]?.signal.aborted, true);
  assert.deepEqual(clock.running(), []);
});

Deno.test("call under way ends with the turn, and between turns none is run", async () => {
  let turn = true;
  const heard: HostToolCall[] = [];
  const handler = (call: HostToolCall) => (heard.push(call), new Promise<never>(() => {}));
  const { calls, run } = openCalls({ handler: () => turn ? handler : undefined });
  const result = run("read");
  await settle();
  turn = false;
  calls.abort("the turn ended");
  assert.equal(heard[0]?.signal.aborted, true);
  assert.match(textOf(await result), /the turn ended/);
  assert.match(textOf(await run("read")), /No turn is under way: this call was not run/);
  assert.equal(heard.length, 1);
});

Deno.test("calls of tools that only read run side by side", async () => {
  const { asked, run } = openCalls();
  const results = [run("read"), run("read"), run("read")];
  await settle();
  assert.equal(asked.length, 3);
  for (const call of asked) call.answer("x");
  await Promise.all(results);
});

Deno.test("call of any other tool has the host to itself, in order", async () => {
  const { asked, run } = openCalls();
  const order = ["read", "wri_te", "read", "read", "wri_te"];
  const results = order.map((name) => run(name));
  const underWay = async () => {
    await settle();
    return asked.length;
  };
  assert.equal(await underWay(), 1, "the first read");
  asked[0]?.answer("");
  assert.equal(await underWay(), 2, "the first write, alone");
  asked[1]?.answer("");
  assert.equal(await underWay(), 4, "both reads");
  asked[3]?.answer("");
  assert.equal(await underWay(), 4, "the second write waits for both");
  asked[2]?.answer("");
  assert.equal(await underWay(), 5);
  asked[4]?.answer("");
  await Promise.all(results);
});

Deno.test("call that gives up waiting lets the next one through, but not past a running one", async () => {
  const { asked, clock, run } = openCalls();
  const dropped = new AbortController();
  const first = run("wri_te");
  await settle();
  const second = run("wri_te", { signal: dropped.signal });
  const third = run("wri_te");
  await settle();
  dropped.abort(new Error("dropped"));
  assert.match(textOf(await second), /dropped/);
  await settle();
  assert.equal(asked.length, 1, "the first is still running");
  asked[0]?.answer("one");
  await first;
  await settle();
  assert.equal(asked.length, 2);
  asked[1]?.answer("three");
  assert.equal(textOf(await third), "three");
  assert.deepEqual(clock.running(), []);
});

Deno.test("call that waits too long behind others is answered without being run", async () => {
  const { asked, clock, run } = openCalls();
  const dropped = new AbortController();
  const first = run("wri_te", { signal: dropped.signal });
  const second = run("wri_te");
  await settle();
  clock.fire(1000);
  assert.match(textOf(await first), /did not answer within 1 s/);
  assert.match(textOf(await second), /it waited behind other calls for 1 s/);
  assert.equal(asked.length, 1);
});

Deno.test("calls beyond the bound are refused", async () => {
  const { asked, calls, run } = openCalls();
  const results = Array.from({ length: CALLS_MAX }, () => run("read"));
  assert.match(textOf(await run("read")), /256 calls are under way already/);
  await settle();
  assert.equal(asked.length, CALLS_MAX);
  calls.abort("enough");
  await Promise.all(results);
});

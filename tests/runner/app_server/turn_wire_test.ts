/** What a turn hears, out of captured wires and out of what may come one day. */
import { strict as assert } from "node:assert";
import { TurnWire } from "../../../runner/app_server/turn_wire.ts";
import type { CodexEvent } from "../../../runner/transport.ts";

const THREAD = "t-1";

/** What a captured turn says, without the signs of life. */
async function captured(version: string, scenario: string): Promise<[TurnWire, CodexEvent[]]> {
  const path = new URL(`../../fixtures/app-server/${version}/${scenario}.jsonl`, import.meta.url);
  let wire = new TurnWire("");
  const events: CodexEvent[] = [];
  for (const line of (await Deno.readTextFile(path)).trim().split("\n")) {
    const { dir, msg } = JSON.parse(line);
    if (dir !== "<") continue;
    if (msg.result?.thread !== undefined) wire = new TurnWire(msg.result.thread.id);
    if (msg.method !== undefined && msg.id === undefined) {
      events.push(...wire.take(msg.method, msg.params));
    }
  }
  return [wire, events.filter(({ type }) => type !== "alive" && type !== "warning")];
}

/** A wire in the middle of a turn. */
function running(): TurnWire {
  const wire = new TurnWire(THREAD);
  wire.take("turn/started", { threadId: THREAD, turn: { id: "u-1" } });
  return wire;
}

const piece = (item: string, delta: string) =>
  ["item/agentMessage/delta", { threadId: THREAD, turnId: "u-1", itemId: item, delta }] as const;
const item = (phase: "started" | "completed", fields: Record<string, unknown>) =>
  [`item/${phase}`, { threadId: THREAD, turnId: "u-1", item: fields }] as const;

Deno.test("a captured turn of text is told in pieces, then whole", async () => {
  const [wire, events] = await captured("0.171.0", "events-text");
  assert.deepEqual(events.slice(0, 2), [{ type: "turn_started" }, {
    type: "message_delta",
    item: "msg_mock_0002",
    text: "Hello ",
    phase: undefined,
  }]);
  assert.deepEqual(events.slice(-3), [
    {
      type: "message",
      item: "msg_mock_0002",
      text: "Hello world, this is a streamed answer.",
      phase: undefined,
    },
    { type: "context", used: 110, window: 258_400 },
    {
      type: "turn_completed",
      usage: {
        inputTokens: 100,
        cachedInputTokens: 0,
        outputTokens: 10,
        reasoningOutputTokens: 0,
      },
    },
  ]);
  assert.ok(wire.isQuiet, "one request, and no tool");
});

Deno.test("pieces of a message have the phase that its beginning names", () => {
  for (
    const [fields, phase] of [
      [{ phase: "commentary" }, "commentary"],
      [{ phase: "commentary", delivery: "async" }, "async"],
      [{ phase: null, delivery: null }, undefined],
    ] as const
  ) {
    const wire = running();
    wire.take(...item("started", { type: "agentMessage", id: "a", text: "", ...fields }));
    assert.deepEqual(wire.take(...piece("a", "ha")), [
      { type: "message_delta", item: "a", text: "ha", phase },
    ]);
    assert.deepEqual(
      wire.take(...item("completed", { type: "agentMessage", id: "a", text: "ha", ...fields })),
      [{ type: "message", item: "a", text: "ha", phase }],
    );
  }
});

Deno.test("an MCP server that fails in a turn is told, in codex's words or in ours", () => {
  const wire = running();
  const about = { threadId: THREAD, name: "lab" };
  const update = (params: Record<string, unknown>) =>
    wire.take("mcpServer/startupStatus/updated", { ...about, ...params });
  assert.deepEqual(update({ status: "starting", error: null }), [{ type: "alive" }]);
  assert.deepEqual(update({ status: "failed", error: "no such program" }), [
    { type: "warning", message: "no such program" },
  ]);
  assert.deepEqual(update({ status: "failed", error: null }), [
    { type: "warning", message: "the MCP server lab failed to start" },
  ]);
});

Deno.test("a turn with a hook may have started processes", () => {
  const wire = running();
  const used = { total: {}, last: {} };
  wire.take("thread/tokenUsage/updated", { threadId: THREAD, turnId: "u-1", tokenUsage: used });
  wire.take("hook/started", { threadId: THREAD, turnId: "u-1" });
  const turn = { id: "u-1", status: "completed" };
  wire.take("turn/completed", { threadId: THREAD, turn });
  assert.equal(wire.status, "completed");
  assert.equal(wire.isQuiet, false);
});

Deno.test("a captured turn with a tool may have started processes", async () => {
  for (const scenario of ["events-shell", "events-codemode"]) {
    const [wire] = await captured("0.171.0", scenario);
    assert.equal(wire.status, "completed");
    assert.equal(wire.isQuiet, false, scenario);
  }
});

Deno.test("captured reasoning is told in pieces that equal the joined parts of its summary", async () => {
  const [, events] = await captured("0.171.0", "events-reasoning");
  const text = "**First** part of thoughts\n**Second** part";
  const pieces = events.flatMap((event) => event.type === "reasoning_delta" ? [event.text] : []);
  assert.equal(pieces.join(""), text);
  assert.ok(events.some((event) => event.type === "reasoning" && event.text === text));
});

for (const version of ["0.169.0", "0.171.0"]) {
  Deno.test(`a captured retry of ${version} takes back what the broken stream had told`, async () => {
    const [, events] = await captured(version, "retry-after-cut");
    const types = events.map(({ type }) => type);
    const retracted = types.indexOf("retracted");
    assert.ok(types.indexOf("notice") < retracted, "after codex said that it tries again");
    assert.equal(types[retracted + 1], "message_delta", "before the first piece of the next");
    assert.equal(types.filter((type) => type === "retracted").length, 1);
    assert.equal(types.filter((type) => type === "message").length, 1);
  });
}

Deno.test("a captured turn whose retries ran out fails with codex's own word", async () => {
  const [wire, events] = await captured("0.169.0", "retries-exhausted-partial");
  assert.equal(wire.status, "failed");
  const last = events.at(-1);
  assert.equal(last?.type, "turn_failed");
  assert.match(last.message, /stream disconnected before completion/);
});

Deno.test("an item that is begun twice under other names is taken back, also without its start", () => {
  const wire = running();
  wire.take(...piece("a", "hal"));
  assert.deepEqual(wire.take(...piece("b", "ha")), [
    { type: "retracted", item: "a" },
    { type: "message_delta", item: "b", text: "ha", phase: undefined },
  ]);
});

Deno.test("an item of which nothing was told needs no taking back", () => {
  const wire = running();
  wire.take(...item("started", { type: "agentMessage", id: "a", text: "" }));
  assert.deepEqual(wire.take(...item("started", { type: "agentMessage", id: "b", text: "" })), [
    { type: "alive" },
  ]);
});

Deno.test("an item that is still open when the turn is done is taken back", () => {
  const wire = running();
  wire.take(...piece("a", "half"));
  const events = wire.take("turn/completed", {
    threadId: THREAD,
    turn: { id: "u-1", status: "completed" },
  });
  assert.deepEqual(events[0], { type: "retracted", item: "a" });
});

Deno.test("what another thread or another turn says is not told, and counts as a risk", () => {
  const wire = running();
  const other = wire.take("item/completed", {
    threadId: "t-2",
    turnId: "u-9",
    item: { type: "agentMessage", id: "a", text: "not ours" },
  });
  assert.deepEqual(other, [{ type: "alive" }]);
  assert.deepEqual(
    wire.take("turn/completed", { threadId: THREAD, turn: { id: "u-0", status: "completed" } }),
    [{ type: "alive" }],
  );
  assert.equal(wire.status, undefined);
});

Deno.test("turns beside ours are known with their threads until they end, also when ours is over", () => {
  const wire = running();
  const say = (what: "started" | "completed", threadId: string, id: string) =>
    wire.take(`turn/${what}`, { threadId, turn: { id, status: "completed" } });
  say("started", "t-2", "u-2");
  say("started", "t-3", "u-3");
  say("completed", "t-2", "u-2");
  say("completed", THREAD, "u-1");
  assert.deepEqual([...wire.others], [["u-3", "t-3"]]);
  say("started", THREAD, "u-4");
  say("completed", "t-3", "u-3");
  assert.deepEqual(
    [...wire.others],
    [["u-4", THREAD]],
    "another turn of the same thread is one, too",
  );
  assert.deepEqual([...wire.agents], ["t-2", "t-3", THREAD]);
  assert.equal(wire.status, "completed");
});

Deno.test("a 401 that codex tries again is hopeless", () => {
  const wire = running();
  wire.take("error", {
    threadId: THREAD,
    turnId: "u-1",
    willRetry: true,
    error: {
      message: "Reconnecting... 1/5",
      codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: 401 } },
      additionalDetails: "unexpected status 401 Unauthorized",
    },
  });
  assert.deepEqual(wire.hopeless, {
    type: "turn_failed",
    message: "unexpected status 401 Unauthorized",
    info: { response_stream_disconnected: { http_status_code: 401 } },
  });
});

Deno.test("a failed turn says when the limit that is used up is open again", () => {
  const wire = running();
  wire.take("account/rateLimits/updated", {
    rateLimits: {
      primary: { usedPercent: 100, windowDurationMins: 300, resetsAt: 1_999_999_999 },
      secondary: { usedPercent: 20, windowDurationMins: 10_080, resetsAt: 2_111_111_111 },
    },
  });
  const [failed] = wire.take("turn/completed", {
    threadId: THREAD,
    turn: {
      id: "u-1",
      status: "failed",
      error: { message: "limit", codexErrorInfo: "usageLimitExceeded" },
    },
  });
  assert.deepEqual(failed, {
    type: "turn_failed",
    message: "limit",
    info: "usage_limit_exceeded",
    resetsAt: 1_999_999_999,
  });
});

Deno.test("what nobody knows is named, and what has another shape says where", () => {
  const wire = running();
  assert.deepEqual(wire.take("brand/new", {}), [{ type: "unknown", name: "brand/new" }]);
  assert.deepEqual(wire.take("turn/brand/new", {}), [{ type: "alive" }]);
  for (const params of [[], "text", 7, null, { threadId: 5 }, { item: { type: 1 } }]) {
    const [event] = wire.take("item/completed", params);
    assert.equal(event?.type, "broken", JSON.stringify(params));
  }
});

/** The scripted model on its wire: every body and modifier of a step, as an HTTP client sees it. */
import { strict as assert } from "node:assert";
import { startScriptedModel } from "./server.ts";
import { assistantTexts, callOutput, type ModelRequest, userTexts } from "./request.ts";
import type { ScriptedStep } from "./step.ts";

interface SentEvent {
  type: string;
  sequence_number: number;
  delta?: string;
  item?: Record<string, unknown>;
  response?: { status: string; output: Record<string, unknown>[]; usage?: Record<string, unknown> };
}

function ask(url: string, says = "hi", signal?: AbortSignal): Promise<Response> {
  const message = { type: "message", role: "user", content: [{ type: "input_text", text: says }] };
  return fetch(`${url}/responses`, {
    method: "POST",
    headers: { authorization: "Bearer secret", connection: "close" },
    body: JSON.stringify({ model: "gpt-5.5", input: [message] }),
    ...(signal ? { signal } : {}),
  });
}

async function events(response: Response): Promise<SentEvent[]> {
  const blocks = (await response.text()).split("\n\n").filter(Boolean);
  return blocks.map((block): SentEvent => {
    const [first = "", second = ""] = block.split("\n");
    const event: SentEvent = JSON.parse(second.replace(/^data: /, ""));
    assert.equal(first, `event: ${event.type}`);
    return event;
  });
}

async function answerOf(step: ScriptedStep): Promise<SentEvent[]> {
  await using model = startScriptedModel({ steps: [step] });
  return await events(await ask(model.url));
}

Deno.test("scripted model streams a text in deltas and completes with usage", async () => {
  const usage = { input_tokens: 7, cached_tokens: 3, output_tokens: 5, reasoning_tokens: 2 };
  const sent = await answerOf({ text: "añ😀 long enough to be cut", chunk: 3, usage });
  assert.deepEqual(sent.map((e) => e.sequence_number), sent.map((_, i) => i));
  assert.equal(sent[0]?.type, "response.created");
  const deltas = sent.filter((e) => e.type === "response.output_text.delta");
  assert.equal(deltas.length, 9);
  assert.equal(deltas.map((e) => e.delta).join(""), "añ😀 long enough to be cut");
  const last = sent.at(-1);
  assert.equal(last?.type, "response.completed");
  assert.deepEqual(last?.response?.usage, {
    input_tokens: 7,
    input_tokens_details: { cached_tokens: 3 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 12,
  });
});

Deno.test("scripted model streams every kind of item, in order, and repeats it when done", async () => {
  const sent = await answerOf({
    items: [
      { type: "reasoning", summary: ["one", "two"], text: "raw" },
      { type: "message", text: "working", phase: "commentary" },
      { type: "function_call", name: "echo", namespace: "mcp__x", args: { a: 1 }, call_id: "c1" },
      { type: "custom_tool_call", name: "apply_patch", input: "*** Begin", call_id: "c2" },
      { type: "local_shell_call", command: ["ls"], call_id: "c3" },
      { type: "web_search_call", query: "deno" },
      { type: "raw", item: { type: "novelty", shape: 1 } },
    ],
  });
  const done = sent.filter((e) => e.type === "response.output_item.done").map((e) => e.item);
  assert.deepEqual(done.map((item) => item?.["type"]), [
    ...["reasoning", "message", "function_call", "custom_tool_call", "local_shell_call"],
    ...["web_search_call", "novelty"],
  ]);
  assert.equal(done[2]?.["arguments"], '{"a":1}');
  assert.equal(done[2]?.["namespace"], "mcp__x");
  assert.equal(done[3]?.["input"], "*** Begin");
  assert.equal(new Set(done.slice(0, 6).map((item) => item?.["id"])).size, 6);
  assert.deepEqual(sent.at(-1)?.response?.output, done);
});

Deno.test("scripted model ends as failed, incomplete or without an end when told so", async () => {
  const failed = await answerOf({ failed: { code: "server_error", message: "no" } });
  assert.equal(failed.at(-1)?.type, "response.failed");
  const incomplete = await answerOf({ text: "half", incomplete: "max_output_tokens" });
  assert.equal(incomplete.at(-1)?.type, "response.incomplete");
  const open = await answerOf({ text: "half", cutBeforeCompleted: true });
  assert.equal(open.at(-1)?.type, "response.output_item.done");
});

Deno.test("scripted model answers HTTP errors and literal text as they stand", async () => {
  await using model = startScriptedModel({
    steps: [
      { status: 429, error: { code: "slow_down" }, headers: { "retry-after": "3" } },
      { raw: "event: x\ndata: {}\n\n" },
    ],
  });
  const refused = await ask(model.url);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "3");
  assert.deepEqual(await refused.json(), { error: { code: "slow_down" } });
  assert.equal(await (await ask(model.url)).text(), "event: x\ndata: {}\n\n");
});

Deno.test("scripted model cuts a stream so that the client sees a transport error", async () => {
  await using model = startScriptedModel({ steps: [{ text: "never", cutAfterEvents: 3 }] });
  const response = await ask(model.url);
  await assert.rejects(response.text());
});

Deno.test("scripted model that hangs or stalls lets the client go, and closes", async () => {
  await using model = startScriptedModel({ steps: [{ hang: true }, { stall: true }] });
  const leave = new AbortController();
  const hung = await ask(model.url, "hi", leave.signal);
  const stalled = assert.rejects(ask(model.url, "hi", leave.signal));
  await model.received(2);
  leave.abort();
  await assert.rejects(hung.text());
  await stalled;
});

Deno.test("scripted model holds the closing event until it may go", async () => {
  const gate = Promise.withResolvers<void>();
  await using model = startScriptedModel({ steps: [{ text: "one", hold: gate.promise }] });
  const response = await ask(model.url);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("response.output_item.done")) text += (await reader?.read())?.value ?? "";
  assert.ok(!text.includes("response.completed"));
  gate.resolve();
  for (let more = await reader?.read(); more?.value !== undefined; more = await reader?.read()) {
    text += more.value;
  }
  assert.ok(text.includes("response.completed"));
});

Deno.test("scripted model passes over steps whose `when` does not match, and keeps `repeat`", async () => {
  await using model = startScriptedModel({
    steps: [{ when: "weather", text: "sunny" }, { text: "again", repeat: true }],
    fallback: { text: "nothing left" },
  });
  const say = async (text: string) => {
    const last = (await events(await ask(model.url, text))).at(-1)?.response?.output[0];
    return JSON.stringify(last?.["content"]);
  };
  assert.match(await say("hello"), /again/);
  assert.match(await say("the weather?"), /sunny/);
  assert.match(await say("the weather?"), /again/);
  model.setSteps([]);
  assert.match(await say("hello"), /nothing left/);
  assert.equal(model.pending, 0);
});

Deno.test("scripted model lets a function answer from the request, later", async () => {
  await using model = startScriptedModel({
    steps: [async (request) => {
      await Promise.resolve();
      return { text: `you said: ${userTexts(request).join()}` };
    }],
  });
  const sent = await events(await ask(model.url, "a fact"));
  assert.match(JSON.stringify(sent.at(-1)), /you said: a fact/);
  assert.deepEqual(userTexts(model.asked[0] ?? { model: "", input: [] }), ["a fact"]);
});

Deno.test("scripted model makes errors of a script loud", async () => {
  const wrong: ScriptedStep = JSON.parse('{"txt":"typo"}');
  assert.throws(() => startScriptedModel({ steps: [wrong] }), /unknown key txt/);
  assert.throws(() => startScriptedModel({ steps: [{ text: "a", hang: true }] }), /one body/);
  assert.throws(() => startScriptedModel({ steps: [{}] }), /found none/);
  assert.throws(
    () => startScriptedModel({ steps: [{ status: 500, incomplete: "x" }] }),
    /one body/,
  );
  const model = startScriptedModel({
    steps: [() => {
      throw new RangeError("bad script");
    }],
  });
  const response = await ask(model.url);
  assert.equal(response.status, 500);
  assert.match(await response.text(), /bad script/);
  await assert.rejects(model.close(), /bad script/);
});

Deno.test("scripted model answers the other routes of the API and hides the key", async () => {
  await using model = startScriptedModel();
  const get = (path: string) => fetch(model.url + path, { headers: { connection: "close" } });
  const models = await get("/models");
  assert.deepEqual(await models.json(), { object: "list", data: [], models: [] });
  assert.equal(
    (await (await get("/responses")).json()).error.message,
    "scripted model: no WebSocket here",
  );
  const lost = await get("/elsewhere");
  assert.equal(lost.status, 404);
  await lost.body?.cancel();
  await (await ask(model.url)).body?.cancel();
  assert.equal(model.requests.length, 4);
  assert.equal(model.requests[3]?.headers["authorization"], "<redacted>");
});

Deno.test("scripted model that closes early tells those who wait for a question", async () => {
  const model = startScriptedModel();
  const waiting = assert.rejects(model.received(1), /closed after 0 questions/);
  await model.close();
  await waiting;
});

Deno.test("callOutput and assistantTexts read strings and content arrays", () => {
  const request: ModelRequest = {
    model: "gpt-5.5",
    input: [
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "noted" }] },
      { type: "function_call", call_id: "c1", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "plain" },
      {
        type: "custom_tool_call_output",
        call_id: "c2",
        output: [{ type: "input_text", text: "a" }, { text: "b" }],
      },
    ],
  };
  assert.deepEqual(assistantTexts(request), ["noted"]);
  assert.equal(callOutput(request, "c1"), "plain");
  assert.equal(callOutput(request, "c2"), "ab");
  assert.equal(callOutput(request, "c3"), undefined);
});

/**
 * The host's requests and notifications, from bytes to handlers and back.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { RpcError } from "../../../base/jsonrpc/peer.ts";
import { bytesOf, errorOf, type Frame, Rig } from "./rig.ts";

/** Pushes the bytes cut into pieces that end at `cuts`, and returns what came of it. */
async function talk(bytes: Uint8Array, cuts: number[]): Promise<unknown> {
  const rig = new Rig(undefined, { frameBytes: 200, requests: 1000 });
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    await rig.push(bytes.subarray(start, end));
    start = end;
  }
  const frames = (await rig.settled()).map((frame) => JSON.stringify(frame));
  await rig.end();
  // A refusal may overtake an answer that was asked for before, and often does.
  return { calls: rig.calls, frames: frames.sort(), notes: rig.recorder.notes };
}

/** A line of a connection; its number makes the ids of requests differ. */
const line: fc.Arbitrary<(number: number) => string> = fc.oneof(
  fc.record({
    id: fc.boolean(),
    textId: fc.boolean(),
    method: fc.constantFrom("turn", "unknown"),
    text: fc.string({ unit: "binary", maxLength: 12 }),
  }).map(({ id, textId, method, text }) => (number: number) =>
    JSON.stringify({
      jsonrpc: "2.0",
      ...(id ? { id: textId ? `#${number}` : number } : {}),
      method,
      params: { text },
    })
  ),
  fc.oneof(
    fc.constantFrom("", " \r", "{}", "[]", "null", "{", "\u2028", "x".repeat(201), "\uFEFF{}"),
    fc.json({ maxDepth: 2 }),
  ).map((text) => () => text),
);

Deno.test("connection gives the same calls and answers however its bytes are cut", async () => {
  const lines = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n")), { maxLength: 12 });
  const junk = fc.uint8Array({ maxLength: 20 });
  const cuts = fc.array(fc.nat(2000), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(lines, junk, cuts, async (lines, junk, cuts) => {
      const text = bytesOf(lines.map(([line, end], number) => line(number) + end).join(""));
      const bytes = Uint8Array.from([...text, ...junk, 10]);
      assert.deepEqual(await talk(bytes, cuts), await talk(bytes, []));
    }),
    { numRuns: 200 },
  );
});

Deno.test("connection takes a frame that comes byte by byte", async () => {
  const rig = new Rig();
  const frame = { jsonrpc: "2.0", id: 1, method: "turn", params: { text: "né 🐦\u2028\u2029 x" } };
  for (const byte of bytesOf(frame)) await rig.push(Uint8Array.of(byte));
  assert.deepEqual(await rig.next(), { jsonrpc: "2.0", id: 1, result: { echo: frame.params } });
  await rig.end();
});

Deno.test("connection takes many frames in a chunk, blank lines and CRLF between them", async () => {
  const rig = new Rig();
  const frames = [1, 2, 3].map((id) => JSON.stringify({ jsonrpc: "2.0", id, method: "turn" }));
  await rig.push(`\n\r\n${frames.join("\r\n \n\n")}\r\n`);
  assert.deepEqual((await rig.settled()).map(({ id }) => id), [1, 2, 3]);
  await rig.end();
});

Deno.test("connection ends a frame at 0x0A only", async () => {
  const rig = new Rig();
  await rig.push({ id: 1, method: "turn", params: { text: "a\u2028b\u2029c\u0085d\u000be" } });
  const { result } = await rig.next();
  assert.deepEqual(result, { echo: { text: "a\u2028b\u2029c\u0085d\u000be" } });
  await rig.end();
});

Deno.test("connection passes over a byte order mark before a frame", async () => {
  const rig = new Rig();
  await rig.push('\uFEFF{"id":1,"method":"turn"}\n');
  assert.deepEqual((await rig.next()).result, { echo: null });
  await rig.end();
});

const BROKEN: Record<string, [bytes: string | Uint8Array, code: number, message: RegExp]> = {
  "invalid UTF-8": [Uint8Array.of(0x22, 0xff, 0x22, 10), -32700, /^cannot parse frame of 3 bytes/],
  "cut UTF-8": [Uint8Array.of(0x22, 0xe2, 0x80, 10), -32700, /^cannot parse frame of 3 bytes/],
  "no JSON": ["hello\n", -32700, /^cannot parse frame of 5 bytes: .*JSON/],
  "half a frame": ['{"id":1,"method"\n', -32700, /^cannot parse frame of 16 bytes/],
  "a batch": ['[{"id":1,"method":"turn"}]\n', -32600, /^batches are not supported: send one/],
  "a number": ["12\n", -32600, /^a frame must be a JSON object, found number 12/],
  "a text": ['"x"\n', -32600, /^a frame must be a JSON object, found string "x"/],
  "null": ["null\n", -32600, /^a frame must be a JSON object, found null/],
  "nothing in it": ["{}\n", -32600, /^a frame needs a method, a result or an error/],
  "a method that is no text": ['{"method":5}\n', -32600, /^a frame needs a method/],
  "id null": ['{"id":null,"method":"turn"}\n', -32600, /^an id must be .*, found null/],
  "an object as id": ['{"id":{},"method":"turn"}\n', -32600, /^an id must be .*, found object/],
  "an id too large to return": ['{"id":9007199254740993,"method":"x"}\n', -32600, /^an id must be/],
  "an overlong frame": [
    "x".repeat(201) + "\n",
    -32700,
    /^frame of 201 bytes .* limit of 200 bytes/,
  ],
};

for (const [what, [bytes, code, message]] of Object.entries(BROKEN)) {
  Deno.test(`connection answers ${what} with ${code} and lives on`, async () => {
    const rig = new Rig(undefined, { frameBytes: 200, requests: 10 });
    await rig.push(bytes);
    const frame = await rig.next();
    assert.equal(frame.id, null);
    assert.equal(errorOf(frame).code, code);
    assert.match(errorOf(frame).message, message);
    assert.deepEqual(await rig.settled(), []);
    assert.deepEqual(rig.calls, []);
    await rig.end();
  });
}

Deno.test("connection holds nothing of an overlong frame and takes the next one", async () => {
  const rig = new Rig(undefined, { frameBytes: 100, requests: 10 });
  for (let i = 0; i < 50; i++) await rig.push("y".repeat(50));
  await rig.push('\n{"id":1,"method":"turn"}\n');
  assert.match(errorOf(await rig.next()).message, /^frame of 2500 bytes is over the limit/);
  assert.equal((await rig.next()).id, 1);
  await rig.end();
});

Deno.test("connection answers under the id as it was sent", async () => {
  const rig = new Rig();
  const ids = [0, -1, 1.5, "", "7", 7, "é\u2028", Number.MAX_SAFE_INTEGER];
  for (const id of ids) await rig.push({ jsonrpc: "2.0", id, method: "turn" });
  assert.deepEqual((await rig.settled()).map(({ id }) => id), ids);
  await rig.end();
});

Deno.test("connection refuses an id that is in use and serves it again afterwards", async () => {
  const first = Promise.withResolvers<unknown>();
  let calls = 0;
  const rig = new Rig(({ method }) => method === "turn" && calls++ === 0 ? first.promise : {});
  const frame = { jsonrpc: "2.0", id: "a", method: "turn" };
  await rig.push(frame);
  await rig.push(frame);
  assert.deepEqual(errorOf(await rig.next()), {
    code: -32600,
    message: 'id "a" is already in use by a running request',
  });
  first.resolve({ first: true });
  assert.deepEqual(await rig.next(), { jsonrpc: "2.0", id: "a", result: { first: true } });
  await rig.push(frame);
  assert.deepEqual(await rig.next(), { jsonrpc: "2.0", id: "a", result: {} });
  await rig.end();
});

Deno.test("connection refuses more requests at once than its limit", async () => {
  const gate = Promise.withResolvers<unknown>();
  const rig = new Rig(() => gate.promise, { frameBytes: 1000, requests: 2 });
  for (const id of [1, 2, 3]) await rig.push({ jsonrpc: "2.0", id, method: "turn" });
  const refused = await rig.next();
  assert.equal(refused.id, 3);
  assert.equal(errorOf(refused).message, "2 requests are running already: wait for one to end");
  assert.equal((refused.error as Frame).code, -32000);
  assert.equal(((refused.error as Frame).data as Frame).retryable, true);
  gate.resolve({});
  assert.deepEqual([(await rig.next()).id, (await rig.next()).id], [1, 2]);
  assert.deepEqual(await rig.settled(), []);
  await rig.end();
});

Deno.test("connection hands on a handler's error with its code and data", async () => {
  const rig = new Rig();
  await rig.push({ jsonrpc: "2.0", id: 1, method: "unknown" });
  const error = { code: -32601, message: 'unknown method "unknown"' };
  assert.deepEqual(await rig.next(), { jsonrpc: "2.0", id: 1, error });
  await rig.end();
});

Deno.test("connection answers -32603 when a handler fails, and notes it", async () => {
  const rig = new Rig(({ method }) => {
    if (method === "turn") throw new TypeError("boom");
    return {};
  });
  await rig.push({ jsonrpc: "2.0", id: 1, method: "turn" });
  assert.deepEqual(errorOf(await rig.next()), { code: -32603, message: "turn: boom" });
  assert.deepEqual(rig.recorder.notes, ["a request handler failed"]);
  assert.deepEqual(await rig.settled(), []);
  await rig.end();
});

Deno.test("connection lives on when a notification's handler fails", async () => {
  const rig = new Rig();
  await rig.push({ jsonrpc: "2.0", method: "explode" });
  assert.deepEqual(await rig.settled(), []);
  assert.deepEqual(rig.recorder.notes, ["a notification handler failed"]);
  await rig.end();
});

Deno.test("connection answers no notification, known or not", async () => {
  const rig = new Rig();
  await rig.push({ jsonrpc: "2.0", method: "notifications/novel", params: { a: 1 } });
  assert.deepEqual(await rig.settled(), []);
  assert.deepEqual(rig.calls, [{ method: "notifications/novel", params: { a: 1 } }]);
  await rig.end();
});

Deno.test("cancelled request is aborted with the reason and gets no response", async () => {
  const rig = new Rig(({ method }, { signal }) =>
    method === "ping"
      ? {}
      : new Promise((resolve) => signal.addEventListener("abort", () => resolve("late")))
  );
  for (const id of [1, "1"]) await rig.push({ jsonrpc: "2.0", id, method: "turn" });
  await rig.push({
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: "1", reason: "the user left" },
  });
  assert.deepEqual(await rig.settled(), []);
  assert.equal(rig.recorder.contexts.get("1")?.signal.reason, "the user left");
  assert.equal(
    rig.recorder.contexts.get(1)?.signal.aborted,
    false,
    "another id is another request",
  );
  await rig.end();
});

Deno.test("request whose cancel came too late gets its response", async () => {
  const rig = new Rig(({ method }, { signal, tooLate }) => {
    if (method === "ping") return {};
    tooLate();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve("done")));
  });
  await rig.push({ jsonrpc: "2.0", id: 1, method: "turn" });
  const params = { request_id: 1 };
  await rig.push({ jsonrpc: "2.0", method: "notifications/cancelled", params });
  assert.deepEqual(await rig.settled(), [{ jsonrpc: "2.0", id: 1, result: "done" }]);
  await rig.end();
});

Deno.test("cancel of what has ended, never was, or cannot be is a no-op", async () => {
  const rig = new Rig();
  await rig.push({ jsonrpc: "2.0", id: 1, method: "turn" });
  await rig.next();
  for (const params of [{ requestId: 1 }, { requestId: 99 }, { requestId: {} }, {}, [], null, 5]) {
    await rig.push({ jsonrpc: "2.0", method: "notifications/cancelled", params });
  }
  await rig.push({ jsonrpc: "2.0", method: "notifications/cancelled" });
  assert.deepEqual(await rig.settled(), []);
  assert.deepEqual(rig.recorder.notes, []);
  await rig.end();
});

Deno.test("end of the input aborts what runs, and answers nothing more", async () => {
  const rig = new Rig((_, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
  );
  await rig.push({ jsonrpc: "2.0", id: 1, method: "turn" });
  await rig.push('{"jsonrpc":"2.0","id":2,');
  assert.deepEqual(await rig.end(), []);
  assert.equal(rig.recorder.contexts.get(1)?.signal.reason, "the connection ended");
  assert.deepEqual(rig.recorder.notes, ["input ended inside a frame"]);
});

Deno.test("closed connection refuses requests that still come in", async () => {
  const rig = new Rig();
  rig.peer.close("the plugin is stopping");
  rig.peer.close("twice is once");
  await rig.push({ jsonrpc: "2.0", id: 1, method: "turn" });
  assert.deepEqual(errorOf(await rig.next()), { code: -32603, message: "the plugin is stopping" });
  assert.deepEqual(rig.calls, []);
  await rig.end();
});

Deno.test("connection serves any number of short requests that come in one chunk", async () => {
  const rig = new Rig(undefined, { frameBytes: 1000, requests: 10 });
  const ids = Array.from({ length: 500 }, (_, id) => id);
  await rig.push(ids.map((id) => JSON.stringify({ id, method: "turn" }) + "\n").join(""));
  const answers = await rig.settled();
  assert.deepEqual(answers.map(({ id, error }) => [id, error]), ids.map((id) => [id, undefined]));
  await rig.end();
});

/*
 * What we ask the host, from the request to its answer, over a connection in memory.
 */

const answer = (id: unknown, rest: Record<string, unknown>) => ({ jsonrpc: "2.0", id, ...rest });

Deno.test("our requests get their answers in whatever order they come", async () => {
  const rig = new Rig();
  const asked = ["a", "b", "c"].map((name) => rig.peer.request("host/tool", { name }));
  const frames = [await rig.next(), await rig.next(), await rig.next()];
  assert.deepEqual(frames.map(({ method, params }) => ({ method, params })), [
    { method: "host/tool", params: { name: "a" } },
    { method: "host/tool", params: { name: "b" } },
    { method: "host/tool", params: { name: "c" } },
  ]);
  for (const { id, params } of frames.toReversed()) await rig.push(answer(id, { result: params }));
  assert.deepEqual((await Promise.all(asked)).map(({ text }) => text), [
    '{"name":"a"}',
    '{"name":"b"}',
    '{"name":"c"}',
  ]);
  await rig.end();
});

Deno.test("our request takes `error: null` beside a result as no error", async () => {
  const rig = new Rig();
  const asked = rig.peer.request("host/tool", {});
  await rig.push(answer((await rig.next()).id, { result: { ok: true }, error: null }));
  assert.deepEqual((await asked).value, { ok: true });
  await rig.end();
});

Deno.test("our request rejects with the error of its answer, however it is made", async () => {
  const rig = new Rig();
  const cases: [error: unknown, code: number, message: string, data?: unknown][] = [
    [{ code: -7, message: "no", data: [1] }, -7, "no", [1]],
    [{ message: "only words" }, -32603, "only words"],
    [{}, -32603, "error without a message"],
    ["text", -32603, "error without a message"],
  ];
  for (const [error, code, message, data] of cases) {
    const asked = rig.peer.request("host/tool", {});
    await rig.push(answer((await rig.next()).id, { error }));
    await assert.rejects(asked, (thrown: unknown) => {
      assert.ok(thrown instanceof RpcError);
      assert.deepEqual([thrown.code, thrown.message, thrown.data], [code, message, data]);
      return true;
    });
  }
  await rig.end();
});

Deno.test("answer that nobody waits for is noted and changes nothing", async () => {
  const rig = new Rig();
  const asked = rig.peer.request("host/tool", {});
  const { id } = await rig.next();
  for (const other of [99, String(id), null, undefined, {}]) {
    await rig.push(answer(other, { result: "wrong" }));
  }
  await rig.push(answer(id, { result: "right" }));
  await rig.push(answer(id, { result: "again" }));
  assert.equal((await asked).value, "right");
  assert.deepEqual(await rig.settled(), []);
  assert.equal(rig.recorder.notes.length, 6);
  await rig.end();
});

Deno.test("our request that we cancel rejects at once and tells the host", async () => {
  const rig = new Rig();
  const control = new AbortController();
  const asked = rig.peer.request("host/tool", {}, control.signal);
  const { id } = await rig.next();
  control.abort(new Error("codex dropped the call"));
  await assert.rejects(asked, /^Error: request host\/tool was cancelled: codex dropped the call$/);
  assert.deepEqual(await rig.next(), {
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: id, reason: "codex dropped the call" },
  });
  await rig.push(answer(id, { result: "too late" }));
  assert.deepEqual(await rig.settled(), []);
  assert.deepEqual(rig.recorder.notes, ["response without a request"]);
  await rig.end();
});

Deno.test("our request with a signal that aborted before is never sent", async () => {
  const rig = new Rig();
  const asked = rig.peer.request("host/tool", {}, AbortSignal.abort());
  await assert.rejects(asked, /was cancelled before it was sent/);
  assert.deepEqual(await rig.settled(), []);
  await rig.end();
});

Deno.test("signal that aborts after the answer tells the host nothing", async () => {
  const rig = new Rig();
  const control = new AbortController();
  const asked = rig.peer.request("host/tool", {}, control.signal);
  await rig.push(answer((await rig.next()).id, { result: 1 }));
  await asked;
  control.abort();
  assert.deepEqual(await rig.settled(), []);
  await rig.end();
});

Deno.test("our requests are taken back and reject when the input ends, and later ones reject", async () => {
  const rig = new Rig();
  const control = new AbortController();
  const asked = rig.peer.request("host/tool", {}, control.signal);
  const rejected = assert.rejects(asked, /^Error: the connection ended$/);
  const { id } = await rig.next();
  assert.deepEqual(await rig.end(), [{
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: id, reason: "the connection ended" },
  }]);
  await rejected;
  control.abort();
  await assert.rejects(rig.peer.request("host/tool", {}), /^Error: the connection ended$/);
});

Deno.test("our requests reject when the input breaks", async () => {
  const rig = new Rig();
  await rig.end();
  const peer = new Rig().peer;
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array();
    throw new Error("EIO");
  }
  const asked = peer.request("host/tool", {});
  const rejected = assert.rejects(asked, /the connection ended/);
  await peer.run(broken());
  await rejected;
});

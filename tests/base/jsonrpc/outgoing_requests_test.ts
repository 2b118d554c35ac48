/** What we ask the host, from the request to its answer, over a connection in memory. */
import { strict as assert } from "node:assert";
import { RpcError } from "../../../base/jsonrpc/peer.ts";
import { Rig } from "./rig.ts";

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

Deno.test("our requests reject when the input ends, and so do later ones", async () => {
  const rig = new Rig();
  const control = new AbortController();
  const asked = rig.peer.request("host/tool", {}, control.signal);
  const rejected = assert.rejects(asked, /^Error: the connection ended$/);
  await rig.next();
  await rig.end();
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

import { strict as assert } from "node:assert";
import { MAX_LINE_BYTES, Rpc, RpcRefusal, RpcSilence } from "../../../runner/app_server/rpc.ts";

const encoder = new TextEncoder();

/** One end of a conversation: what was written comes out, what is said goes in. */
function conversation(notified: (method: string) => Promise<void> | void = () => {}) {
  const written: Record<string, unknown>[] = [];
  const said = new TransformStream<Uint8Array, Uint8Array>();
  const writer = said.writable.getWriter();
  const rpc = new Rpc((bytes) => {
    written.push(JSON.parse(new TextDecoder().decode(bytes)));
    return Promise.resolve();
  }, notified);
  const reading = rpc.read(said.readable);
  return {
    rpc,
    written,
    say: (text: string | Uint8Array) =>
      writer.write(typeof text === "string" ? encoder.encode(text) : text),
    async end() {
      await writer.close();
      await reading;
    },
  };
}

Deno.test("Rpc matches answers to requests, in whatever order they come", async () => {
  const { rpc, say, end, written } = conversation();
  const [one, two] = [rpc.request("a", {}, 1000), rpc.request("b", { x: 1 }, 1000)];
  await say('{"id":2,"result":"second"}\n{"id":1,"res');
  await say('ult":"first"}\n');
  assert.deepEqual(await Promise.all([one, two]), ["first", "second"]);
  assert.deepEqual(written, [{ id: 1, method: "a", params: {} }, {
    id: 2,
    method: "b",
    params: { x: 1 },
  }]);
  await end();
});

Deno.test("Rpc sends no half of a surrogate pair, for which codex would drop the request", async () => {
  const { rpc, say, end, written } = conversation();
  const asked = rpc.request("a", { text: "a\ud800" }, 1000);
  await say('{"id":1,"result":1}\n');
  await asked;
  assert.deepEqual(written[0]?.params, { text: "a\ufffd" });
  await end();
});

Deno.test("Rpc tells codex's refusal with its code, and cuts its words to 2 KiB", async () => {
  const { rpc, say, end } = conversation();
  const asked = rpc.request("a", {}, 1000);
  await say(`{"id":1,"error":{"code":-32600,"message":"${"x".repeat(5000)}"}}\n`);
  const error = await asked.catch((error: unknown) => error);
  assert.ok(error instanceof RpcRefusal);
  assert.equal(error.code, -32600);
  assert.ok(error.message.length <= 2048);
  await end();
});

Deno.test("Rpc gives up a request that is not answered in time, and counts the late answer", async () => {
  const { rpc, say, end } = conversation();
  await assert.rejects(rpc.request("slow", {}, 1), RpcSilence);
  await say('{"id":1,"result":{}}\n{"id":"never","result":{}}\n');
  await end();
  assert.equal(rpc.counts.strayAnswers, 2);
});

Deno.test("Rpc gives up every request when the server's output ends", async () => {
  const { rpc, end } = conversation();
  const asked = assert.rejects(rpc.request("a", {}, 60_000), /the app-server is gone/);
  await end();
  await asked;
  await assert.rejects(rpc.request("b", {}, 60_000), /the app-server is gone/);
});

Deno.test("Rpc refuses whatever codex asks, so that codex does not wait", async () => {
  const { rpc, say, end, written } = conversation();
  await say('{"id":0,"method":"item/tool/call","params":{}}\n{"id":"x","method":"?"}\n');
  await end();
  assert.equal(rpc.counts.refused, 2);
  assert.deepEqual(written.map(({ id }) => id), [0, "x"]);
  assert.ok(written.every(({ error }) => JSON.stringify(error).includes("-32601")));
});

Deno.test("Rpc counts lines that are no message and reads on", async () => {
  const methods: string[] = [];
  const { rpc, say, end } = conversation((method) => void methods.push(method));
  await say('not json\n[1]\n"text"\nnull\n{"id":{}}\n\n{"method":"fine"}\r\n');
  await say(new Uint8Array([0x7b, 0xff, 0x7d, 10]));
  await say(new Uint8Array(MAX_LINE_BYTES + 1).fill(120));
  await say('\n{"method":"still \u2028 fine"}\n');
  await end();
  assert.deepEqual(methods, ["fine", "still \u2028 fine"]);
  assert.equal(rpc.counts.broken, 7);
});

Deno.test("Rpc reads the next line only when the last notification was taken", async () => {
  const taken: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { say, end } = conversation((method) => {
    taken.push(method);
    return gate.promise;
  });
  await say('{"method":"one"}\n{"method":"two"}\n');
  await Promise.resolve();
  assert.deepEqual(taken, ["one"]);
  gate.resolve();
  await end();
  assert.deepEqual(taken, ["one", "two"]);
});

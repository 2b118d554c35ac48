/** What strangers try at the bridge's socket, and that the turn's own relay still gets in. */
import { strict as assert } from "node:assert";
import { HELLO_TIMEOUT_MS, RELAYS_MAX } from "../../mcp_host/bridge.ts";
import { PENDING_MAX } from "../../mcp_host/listener/listener.ts";
import { MESSAGE_MAX_BYTES } from "../../mcp_host/server/mcp_server.ts";
import { manualTimer } from "./manual_timer.ts";
import { openRig, type Rig } from "./rig.ts";
import { helloFor, Stranger } from "./stranger.ts";

const admitted = '{"plexum_mcp":2,"admitted":true}\n';

function knock(rig: Rig): Promise<Stranger> {
  return Stranger.connect(rig.env.PLEXUM_MCP_SOCKET ?? "");
}

async function relayGetsIn(rig: Rig): Promise<void> {
  using relay = await knock(rig);
  await relay.say(helloFor(rig.env));
  assert.equal(await relay.next(), admitted);
}

Deno.test("bridge refuses a wrong token, a wrong agent and another version, and says which", async () => {
  await using rig = await openRig();
  const right = rig.env.PLEXUM_MCP_TOKEN ?? "";
  const wrong = [
    [{ token: "0".repeat(64) }, /the token is of no running turn/],
    [{ token: right.slice(1) }, /the token/],
    [{ token: right + "0" }, /the token/],
    [{ token: "" }, /the token/],
    [{ agent_id: "other" }, /the agent is not the turn's/],
    [{ plexum_mcp: 1 }, /the relay speaks version 1, the plugin 2/],
  ] as const;
  for (const [over, reason] of wrong) {
    using stranger = await knock(rig);
    await stranger.say(helloFor(rig.env, over));
    const answer = await stranger.heard();
    assert.match(answer, /"admitted":false/);
    assert.match(answer, reason);
    assert.ok(!answer.includes(right), "no answer may hold the token");
  }
  assert.equal(rig.bridge.refused, wrong.length);
  assert.equal(rig.bridge.connections, 0);
  assert.equal(rig.statuses.length, 1, "each kind is reported once");
  assert.ok(!rig.statuses.join().includes(right));
  await relayGetsIn(rig);
});

Deno.test("bridge closes on garbage and on a hello without an end", async () => {
  await using rig = await openRig();
  for (const said of ["GET / HTTP/1.1\r\n\r\n", "{}\n", "\n", "\0\xff\n", "x".repeat(5000)]) {
    using stranger = await knock(rig);
    await stranger.say(said).catch(() => {});
    assert.equal(await stranger.heard(), "", JSON.stringify(said.slice(0, 20)));
  }
  assert.equal(rig.bridge.refused, 5);
  assert.deepEqual(rig.statuses, ["host tools: a connection was refused: garbage"]);
  await relayGetsIn(rig);
});

Deno.test("bridge closes on a hello that does not come", async () => {
  const clock = manualTimer();
  await using rig = await openRig({ timer: clock.timer });
  using silent = await knock(rig);
  using slow = await knock(rig);
  await slow.say('{"plexum_mcp":2,');
  using relay = await knock(rig);
  await relay.say(helloFor(rig.env));
  assert.equal(await relay.next(), admitted);
  clock.fire(HELLO_TIMEOUT_MS);
  assert.equal(await silent.heard(), "");
  assert.equal(await slow.heard(), "");
  assert.equal(rig.bridge.refused, 2);
  assert.deepEqual(clock.running(), [], "a relay that was let in has no time limit");
});

Deno.test("bridge survives 10,000 connections, holds few of them and lets the relay in", async () => {
  await using rig = await openRig();
  const held: Stranger[] = [];
  try {
    for (let round = 0; round < 100; round++) {
      const batch = Array.from({ length: 100 }, () => knock(rig));
      for (const stranger of await Promise.all(batch)) held.push(stranger);
      // The last few may still wait for their hello; all before them are closed by now.
      for (const stranger of held.splice(0, held.length - PENDING_MAX)) {
        assert.equal(await stranger.heard(), "");
        stranger.close();
      }
    }
    await relayGetsIn(rig);
    assert.ok(rig.bridge.refused >= 10_000 - PENDING_MAX, String(rig.bridge.refused));
    assert.deepEqual(rig.statuses, ["host tools: a connection was refused: too many strangers"]);
  } finally {
    for (const stranger of held) stranger.close();
  }
});

Deno.test("bridge bounds the relays of one turn and takes a new one when one is gone", async () => {
  await using rig = await openRig();
  const relays: Stranger[] = [];
  try {
    for (let count = 0; count < RELAYS_MAX; count++) {
      const relay = await knock(rig);
      relays.push(relay);
      await relay.say(helloFor(rig.env));
      assert.equal(await relay.next(), admitted);
    }
    using tooMany = await knock(rig);
    await tooMany.say(helloFor(rig.env));
    assert.match(await tooMany.heard(), /32 relays are connected already/);
    await relays[0]?.conn.closeWrite();
    assert.equal(await relays[0]?.heard(), "");
    await relayGetsIn(rig);
    assert.equal(rig.bridge.connections, RELAYS_MAX + 1);
  } finally {
    for (const relay of relays) relay.close();
  }
});

Deno.test("bridge refuses a message beyond the limit, and goes on", async () => {
  await using rig = await openRig();
  using relay = await knock(rig);
  await relay.say(helloFor(rig.env));
  assert.equal(await relay.next(), admitted);
  const part = new Uint8Array(1024 * 1024).fill(120);
  const flood = async () => {
    for (let sent = 0; sent <= MESSAGE_MAX_BYTES; sent += part.length) await relay.say(part);
    await relay.say("\n");
  };
  const [, answer] = await Promise.all([flood(), relay.next()]);
  assert.match(answer, /"code":-32700,"message":"frame of \d+ bytes is over the limit/);
  assert.match(rig.statuses.join(), /codex's side of the connection: a frame was refused/);
  await relayGetsIn(rig);
});

Deno.test("bridge carries a message of 50 MB both ways", async () => {
  await using rig = await openRig({ resultMaxBytes: MESSAGE_MAX_BYTES });
  using relay = await knock(rig);
  const text = "x".repeat(50_000_000);
  const call = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "echo", arguments: { text } },
  };
  const asked = relay.say(helloFor(rig.env) + JSON.stringify(call) + "\n");
  assert.equal(await relay.next(), admitted);
  let length = 0;
  let last = "";
  while (!last.endsWith("\n")) {
    last = await relay.next();
    length += last.length;
  }
  await asked;
  assert.ok(length > 50_000_000, `the answer has ${length} bytes`);
});

Deno.test("bridge outlives a relay that breaks off in the middle of a message", async () => {
  await using rig = await openRig();
  for (
    const said of ["", '{"jsonrpc":"2.0","id":1,', '{"jsonrpc":"2.0","id":1,"method":"ping"}\n']
  ) {
    const relay = await knock(rig);
    await relay.say(helloFor(rig.env) + said);
    assert.match(await relay.next(), /"admitted":true/);
    relay.close();
  }
  await relayGetsIn(rig);
});

Deno.test("bridge answers a half-closed relay by ending the connection", async () => {
  await using rig = await openRig();
  using relay = await knock(rig);
  await relay.say(helloFor(rig.env));
  assert.equal(await relay.next(), admitted);
  await relay.conn.closeWrite();
  assert.equal(await relay.heard(), "");
});

import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { Bridge } from "../../mcp_host/bridge.ts";
import { encodeHello } from "../../mcp_host/listener/hello.ts";
import { KeptBridges } from "../../runner/host_tools.ts";
import { newTestFolder } from "../support/cache.ts";
import { failing } from "../support/failing_system.ts";

/** Bridges below a folder, and what is taken of them. */
class Rig implements Disposable {
  readonly runtimeDir = newTestFolder();
  readonly bridges = new KeptBridges();

  take(agentId: string) {
    return this.bridges.take({ agentId, workspace: "/w" }, {
      agentId,
      tools: [{ name: "echo", description: "echoes", inputSchema: { type: "object" } }],
      executable: ["/nowhere/plugin"],
      runtimeDir: this.runtimeDir,
      toolTimeoutMs: 1000,
      resultMaxBytes: 1024,
    }, { omitToolsFrom: true });
  }

  get sockets(): string[] {
    return [...Deno.readDirSync(this.runtimeDir)].map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.runtimeDir, { recursive: true });
  }
}

/** What a relay does first. */
async function enter({ access }: Bridge, agentId: string): Promise<Deno.UnixConn> {
  const { PLEXUM_MCP_SOCKET: path = "", PLEXUM_MCP_TOKEN: token = "" } = access?.env ?? {};
  const conn = await Deno.connect({ transport: "unix", path });
  await conn.write(encodeHello(agentId, token, Deno.pid));
  await conn.read(new Uint8Array(1024));
  return conn;
}

const turn = { call: () => Promise.reject(new Error("no")), onStatus: () => {} };

Deno.test("bridge is taken by one turn at a time, also by one that was stopped before it had it", async () => {
  using rig = new Rig();
  const stopped = rig.take("cx");
  const next = rig.take("cx");
  const first = await stopped;
  first.bridge.attach(turn);
  await first.leave(false);
  const second = await next;
  second.bridge.attach(turn);
  assert.equal(rig.sockets.length, 1, "the first one's is gone");
  await second.leave(false);
  assert.deepEqual(rig.sockets, []);
});

Deno.test("bridge is kept for the next turn as long as its relay is there", async () => {
  using rig = new Rig();
  const first = await rig.take("cx");
  using relay = await enter(first.bridge, "cx");
  await first.leave(true);
  const second = await rig.take("cx");
  assert.equal(second.bridge, first.bridge);
  relay.close();
  while (second.bridge.live > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await second.leave(true);
  const third = await rig.take("cx");
  assert.notEqual(third.bridge, first.bridge);
  await third.leave(false);
  await rig.bridges.close();
});

Deno.test("bridge that cannot be cleared away keeps nobody waiting", async () => {
  using rig = new Rig();
  const first = await rig.take("cx");
  const [socket = ""] = rig.sockets;
  {
    using _fault = failing("removeSync", join(rig.runtimeDir, socket));
    await assert.rejects(first.leave(false), /os error 24/);
  }
  const second = await rig.take("cx");
  await second.leave(false);
});

Deno.test("bridges are all closed, also behind one that cannot be cleared away", async () => {
  using rig = new Rig();
  const first = await rig.take("cx");
  const [socket = ""] = rig.sockets;
  const second = await rig.take("other");
  using _fault = failing("removeSync", join(rig.runtimeDir, socket));
  await rig.bridges.close();
  assert.deepEqual(rig.sockets, [socket]);
  await Promise.all([first, second].map(({ leave }) => leave(false)));
});

Deno.test("bridge takes its directory with it, whatever somebody has put there", async () => {
  using rig = new Rig();
  const first = await rig.take("cx");
  const [socket = ""] = rig.sockets;
  Deno.writeTextFileSync(join(rig.runtimeDir, socket, "stray"), "");
  await first.leave(false);
  assert.deepEqual(rig.sockets, []);
  const second = await rig.take("cx");
  await second.leave(false);
});

Deno.test("bridges that are just being opened or closed leave nothing when all are closed", async () => {
  using rig = new Rig();
  const { leave } = await rig.take("dropped");
  assert.equal(rig.sockets.length, 1);
  const dropping = leave(false);
  const opening = rig.take("opening");
  await rig.bridges.close();
  assert.deepEqual(rig.sockets, []);
  await Promise.all([dropping, opening]);
  await rig.bridges.close();
  assert.deepEqual(rig.sockets, []);
});

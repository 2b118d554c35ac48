import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ProcessTransport } from "./process_transport.ts";
import { connectClient, openRig, RELAY, type Rig, tempDir } from "./rig.ts";

const initialize = {
  jsonrpc: "2.0" as const,
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  },
};

/** A relay process and the messages it wrote. */
function startRelay(env: Record<string, string>, flags: string[] = []) {
  const transport = new ProcessTransport([...RELAY, "mcp-host", ...flags], env);
  const first = Promise.withResolvers<unknown>();
  transport.onmessage = (message) => first.resolve(message);
  return { transport, first: first.promise, [Symbol.asyncDispose]: () => transport.close() };
}

Deno.test("relay says what is wrong with its flags and exits with 1", async () => {
  const wrong: [string[], string][] = [
    [["--wat"], "mcp-host: unknown mcp-host flag: --wat\n"],
    [["--socket", "/s", "x"], "mcp-host: unknown mcp-host flag: x\n"],
    [["--socket"], "mcp-host: --socket needs value\n"],
    [["--agent-id"], "mcp-host: --agent-id needs value\n"],
    [["--socket", "/s", "--agent-id", ""], "mcp-host: --agent-id needs value\n"],
  ];
  for (const [flags, words] of wrong) {
    await using relay = startRelay({}, flags);
    assert.equal((await relay.transport.ended).code, 1);
    assert.equal(relay.transport.stderr, words);
  }
});

Deno.test("relay takes flags over the environment", async () => {
  await using rig = await openRig();
  const { PLEXUM_MCP_SOCKET = "", PLEXUM_MCP_TOKEN = "" } = rig.env;
  const env = { PLEXUM_MCP_TOKEN, PLEXUM_MCP_SOCKET: "/nowhere", PLEXUM_MCP_AGENT_ID: "other" };
  const flags = ["--agent-id", "cx", "--socket", PLEXUM_MCP_SOCKET];
  await using relay = startRelay(env, flags);
  await relay.transport.send(initialize);
  assert.match(JSON.stringify(await relay.first), /Plexum host offers/);
});

Deno.test("relay ends with exit 0 when codex closes stdin", async () => {
  await using rig = await openRig();
  await using relay = startRelay(rig.env);
  await relay.transport.send(initialize);
  await relay.first;
  await relay.transport.close();
  const { code, signal } = await relay.transport.ended;
  assert.deepEqual([code, signal], [0, null]);
  assert.equal(relay.transport.stderr, "");
});

Deno.test("relay ends with exit 0 when the bridge closes", async () => {
  await using rig = await openRig();
  await using relay = startRelay(rig.env);
  await relay.transport.send(initialize);
  await relay.first;
  await rig.bridge.close();
  assert.equal((await relay.transport.ended).code, 0);
});

Deno.test("relay ends with exit 0 on SIGTERM", async () => {
  await using rig = await openRig();
  await using relay = startRelay(rig.env);
  await relay.transport.send(initialize);
  await relay.first;
  relay.transport.process.kill("SIGTERM");
  const { code, signal } = await relay.transport.ended;
  assert.deepEqual([code, signal], [0, null]);
});

/** What the official client gets from a relay without a plugin, and why, as stderr has it. */
async function withoutTools(env: Record<string, string>): Promise<string> {
  await using codex = await connectClient(env);
  assert.deepEqual((await codex.client.listTools()).tools, []);
  await codex.client.ping();
  await assert.rejects(codex.client.callTool({ name: "echo" }), /there are no tools/);
  await codex.client.close();
  assert.equal((await codex.transport.ended).code, 0);
  return codex.transport.stderr;
}

Deno.test("relay serves no tools and says why where it was told too little", async () => {
  assert.match(await withoutTools({}), /^mcp-host: no host tools: no socket is given/);
  const socket = { PLEXUM_MCP_SOCKET: "/nowhere/s" };
  assert.match(await withoutTools(socket), /PLEXUM_MCP_TOKEN is not set/);
});

Deno.test("relay serves no tools and says why where the plugin cannot be reached", async () => {
  using directory = tempDir();
  const at = (path: string) => ({ PLEXUM_MCP_TOKEN: "t", PLEXUM_MCP_SOCKET: path });
  assert.match(await withoutTools(at(join(directory.path, "s"))), /cannot be reached at .*No such/);
  Deno.writeTextFileSync(join(directory.path, "file"), "");
  assert.match(await withoutTools(at(join(directory.path, "file"))), /is not a socket/);
});

Deno.test("relay serves no tools and says why where the plugin refuses", async () => {
  await using rig = await openRig();
  const stderr = await withoutTools({ ...rig.env, PLEXUM_MCP_TOKEN: "0".repeat(64) });
  assert.match(stderr, /the plugin refused: the token is of no running turn/);
  assert.equal(rig.bridge.refused, 1);
  assert.deepEqual(rig.calls, []);
});

Deno.test("relay does not connect through a symlink or in a directory open to others", async () => {
  await using rig = await openRig();
  const socket = rig.env.PLEXUM_MCP_SOCKET ?? "";
  using directory = tempDir();
  const link = join(directory.path, "s");
  Deno.symlinkSync(socket, link);
  const through = await withoutTools({ ...rig.env, PLEXUM_MCP_SOCKET: link });
  assert.match(through, /is not a socket/);
  const parentLink = join(directory.path, "d");
  Deno.symlinkSync(socket.slice(0, -2), parentLink);
  const parent = await withoutTools({ ...rig.env, PLEXUM_MCP_SOCKET: `${parentLink}/s` });
  assert.match(parent, /the directory of .* is open to others/);
  Deno.chmodSync(socket.slice(0, -2), 0o755);
  assert.match(await withoutTools(rig.env), /the directory of .* is open to others/);
  assert.equal(rig.bridge.connections, 0);
});

/** A plugin that accepts and then does as `serve` says. */
function fakePlugin(serve: (conn: Deno.Conn) => Promise<void>) {
  const directory = tempDir();
  const path = join(directory.path, "s");
  const listener = Deno.listen({ transport: "unix", path });
  const served = listener.accept().then(serve);
  return {
    env: { PLEXUM_MCP_SOCKET: path, PLEXUM_MCP_TOKEN: "t", PLEXUM_MCP_AGENT_ID: "cx" },
    async [Symbol.asyncDispose]() {
      await served;
      listener.close();
      directory[Symbol.dispose]();
    },
  };
}

Deno.test("relay answers itself what it had passed on before it was refused", async () => {
  await using plugin = await fakePlugin(async (conn) => {
    // Everything codex says first arrives here and is lost with the connection.
    const buffer = new Uint8Array(65536);
    let seen = "";
    while (!seen.includes('"initialize"')) {
      seen += new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
    }
    await conn.write(new TextEncoder().encode('{"plexum_mcp":2,"admitted":false,"reason":"x"}\n'));
    conn.close();
  });
  assert.match(await withoutTools(plugin.env), /the plugin refused: x/);
});

Deno.test("relay serves no tools where the plugin hangs up or talks nonsense", async () => {
  {
    await using plugin = await fakePlugin((conn) => Promise.resolve(conn.close()));
    assert.match(await withoutTools(plugin.env), /the plugin (hung up|cannot be reached)/);
  }
  {
    await using plugin = await fakePlugin(async (conn) => {
      await conn.write(new TextEncoder().encode("HTTP/1.1 400\r\n"));
      conn.close();
    });
    assert.match(await withoutTools(plugin.env), /the plugin (refused|hung up|cannot be reached)/);
  }
});

Deno.test("relay carries large messages whole and in order", async () => {
  await using rig: Rig = await openRig({ resultMaxBytes: 20_000_000 });
  await using codex = await connectClient(rig.env);
  const texts = [9_000_000, 1, 5_000_000].map((length) => "ä\u2028".repeat(length / 5 + 1));
  const results = await Promise.all(
    texts.map((text) => codex.client.callTool({ name: "echo", arguments: { text } })),
  );
  for (const [index, { content }] of results.entries()) {
    const [part] = content as { text: string }[];
    assert.equal(JSON.parse(part?.text ?? "").text, texts[index]);
  }
});

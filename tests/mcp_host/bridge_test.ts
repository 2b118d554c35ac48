import { strict as assert } from "node:assert";
import { dirname } from "@std/path";
import type { HostToolCall, HostToolResult } from "../../mcp_host/host_tool.ts";
import { PIXEL } from "../support/pixel.ts";
import { connectClient, openRig } from "./rig.ts";
import { helloFor, Stranger } from "./stranger.ts";
import { skipped } from "../support/skipped.ts";

function textOf(result: unknown): string {
  const { content } = result as { content: { text: string }[] };
  return content.map((part) => part.text).join("\n");
}

Deno.test("bridge lists and calls tools through the relay", async () => {
  await using rig = await openRig();
  await using codex = await connectClient(rig.env);
  const { tools } = await codex.client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["echo"]);
  const result = await codex.client.callTool({ name: "echo", arguments: { a: 1 } });
  assert.deepEqual(result.content, [{ type: "text", text: '{"a":1}' }]);
  assert.match(codex.client.getInstructions() ?? "", /"cx"/);
  assert.equal(rig.bridge.connections, 1);
  assert.equal(rig.bridge.refused, 0);
});

Deno.test("bridge sends codex no half of a surrogate pair, for which it drops the whole message", async () => {
  const tools = [{ name: "echo", description: "half \ud83d", inputSchema: { type: "object" } }];
  const answer = { content: [{ type: "text", text: "half \ude00" }] };
  await using rig = await openRig({ tools, call: () => Promise.resolve(answer) });
  await using codex = await connectClient(rig.env);
  const { tools: listed } = await codex.client.listTools();
  assert.equal(listed[0]?.description, "half \ufffd");
  assert.equal(textOf(await codex.client.callTool({ name: "echo" })), "half \ufffd");
});

Deno.test("bridge removes its directory when it closes, and closes once", async () => {
  await using rig = await openRig();
  await rig.bridge.close();
  await rig.bridge.close();
  assert.deepEqual([...Deno.readDirSync(rig.runtimeDir)], []);
});

Deno.test("bridge removes its directory while it still looks who a relay is", async () => {
  const asked = Promise.withResolvers<void>();
  const never = new Promise<undefined>(() => {});
  await using rig = await openRig({ owns: () => (asked.resolve(), never) });
  await using _codex = await connectClient(rig.env);
  await asked.promise;
  await rig.bridge.close();
  assert.deepEqual([...Deno.readDirSync(rig.runtimeDir)], []);
});

Deno.test("bridge hands out another token and socket for every turn", async () => {
  await using one = await openRig();
  await using two = await openRig();
  assert.match(one.env.PLEXUM_MCP_TOKEN ?? "", /^[0-9a-f]{64}$/);
  assert.notEqual(one.env.PLEXUM_MCP_TOKEN, two.env.PLEXUM_MCP_TOKEN);
  for (const { config, env } of [one, two]) {
    assert.ok(!config.join().includes(env.PLEXUM_MCP_TOKEN ?? ""));
  }
});

Deno.test("bridge lists all tools on one page, in the host's order", async () => {
  const tools = Array.from({ length: 200 }, (_, index) => ({
    name: `tool.${999 - index}`,
    description: "d".repeat(500),
    inputSchema: { type: "object", properties: { q: { type: "string" } } },
  }));
  await using rig = await openRig({ tools });
  await using codex = await connectClient(rig.env);
  const listed = await codex.client.listTools();
  assert.equal(listed.nextCursor, undefined);
  assert.deepEqual(listed.tools.map((tool) => tool.title), tools.map((tool) => tool.name));
  assert.deepEqual(listed.tools.map((tool) => tool.inputSchema), tools.map((t) => t.inputSchema));
});

Deno.test("bridge leaves out a tool whose schema cannot be compiled, and keeps the others", async () => {
  await using rig = await openRig({
    tools: [
      { name: "bad", inputSchema: { type: "object", properties: { a: { $ref: "#/$defs/no" } } } },
      { name: "good", inputSchema: { type: "object" } },
    ],
  });
  await using codex = await connectClient(rig.env);
  const { tools } = await codex.client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["good"]);
  assert.deepEqual(rig.bridge.leftOut.map((out) => out.name), ["bad"]);
  assert.match(rig.statuses.join(), /host tool "bad" left out: its inputSchema cannot be compiled/);
});

Deno.test("bridge names the field of arguments that do not fit", async () => {
  const { $schema, ...plain } = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: { to: { type: "object", properties: { zip: { type: "integer" } } } },
    required: ["to"],
  };
  // Two tools of one $id would be one to a validator that remembers ids.
  const tools = [
    { name: "a", inputSchema: { ...plain, $schema, $id: "urn:x" } },
    { name: "b", inputSchema: { type: "object", $id: "urn:x" } },
  ];
  await using rig = await openRig({ tools });
  await using codex = await connectClient(rig.env);
  const call = async (args: Record<string, unknown>) =>
    textOf(await codex.client.callTool({ name: "a", arguments: args }));
  assert.match(
    await call({}),
    /Invalid arguments for a: arguments must have required property 'to'/,
  );
  assert.match(await call({ to: { zip: "x" } }), /arguments\/to\/zip must be integer/);
  assert.match(await call({ to: { zip: 1 } }), /"zip":1/);
  assert.deepEqual(rig.calls.map((made) => made.arguments.value), [{ to: { zip: 1 } }]);
});

Deno.test("bridge passes results on whole", async () => {
  const result: HostToolResult = {
    content: [
      { type: "text", text: "a" },
      { type: "image", mimeType: "image/png", data: PIXEL.png },
    ],
    isError: true,
  };
  await using rig = await openRig({ call: () => Promise.resolve(result) });
  await using codex = await connectClient(rig.env);
  assert.deepEqual(await codex.client.callTool({ name: "echo" }), result);
});

Deno.test("bridge takes codex's call id from _meta", async () => {
  await using rig = await openRig();
  await using codex = await connectClient(rig.env);
  await codex.client.callTool({ name: "echo", _meta: { callId: "call_7", threadId: "t" } });
  await codex.client.callTool({ name: "echo", _meta: { callId: 7 } });
  assert.deepEqual(rig.calls.map((call) => call.callId), ["call_7", undefined]);
  assert.deepEqual(rig.calls.map((call) => call.threadId), ["t", undefined]);
});

/** A host that never answers, and the call it got. */
function silentHost() {
  const { promise: asked, resolve } = Promise.withResolvers<HostToolCall>();
  const call = (made: HostToolCall) => {
    resolve(made);
    return new Promise<never>(() => {});
  };
  return { asked, call };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

Deno.test("bridge cancels at the host what codex cancels", async () => {
  const host = silentHost();
  await using rig = await openRig({ call: host.call });
  await using codex = await connectClient(rig.env);
  const cancel = new AbortController();
  const call = codex.client.callTool({ name: "echo" }, undefined, { signal: cancel.signal });
  const { signal } = await host.asked;
  cancel.abort("no longer wanted");
  await assert.rejects(call);
  await aborted(signal);
});

Deno.test("bridge cancels at the host when codex is gone", async () => {
  const host = silentHost();
  await using rig = await openRig({ call: host.call });
  await using codex = await connectClient(rig.env);
  const call = codex.client.callTool({ name: "echo" });
  call.catch(() => {});
  const { signal } = await host.asked;
  codex.transport.process.kill("SIGKILL");
  await aborted(signal);
  await codex.client.close();
  await assert.rejects(call);
});

Deno.test("bridge cancels at the host when the turn ends", async () => {
  const host = silentHost();
  await using rig = await openRig({ call: host.call });
  await using codex = await connectClient(rig.env);
  const call = codex.client.callTool({ name: "echo" });
  call.catch(() => {});
  const { signal } = await host.asked;
  await rig.bridge.close();
  assert.equal(signal.aborted, true);
  await codex.client.close();
});

Deno.test("bridge that is kept gives each turn its own calls, and runs none in between", async () => {
  await using rig = await openRig();
  await using codex = await connectClient(rig.env);
  const call = () => codex.client.callTool({ name: "echo" });
  const heard: string[] = [];
  const turn = (name: string) => ({
    call: () => (heard.push(name), Promise.resolve({ content: [{ type: "text", text: name }] })),
    onStatus: () => {},
  });
  assert.throws(() => rig.bridge.attach(turn("second")), /works for another one/);
  rig.detach();
  assert.match(textOf(await call()), /No turn is under way/);
  using early = await Stranger.connect(rig.env.PLEXUM_MCP_SOCKET ?? "");
  await early.say(helloFor(rig.env));
  assert.match(await early.next(), /"admitted":true/, "a thread that is read again has its relay");
  const detach = rig.bridge.attach(turn("first"));
  assert.equal(textOf(await call()), "first");
  detach();
  detach();
  rig.bridge.attach(turn("second"));
  detach();
  assert.equal(textOf(await call()), "second", "letting go twice takes nothing from the next");
  assert.deepEqual(heard, ["first", "second"]);
  assert.equal(rig.bridge.connections, 2);
});

Deno.test("bridge that is kept tells every turn which tools are left out", async () => {
  await using rig = await openRig({ tools: [{ name: "" }] });
  assert.match(rig.statuses.join(), /host tool "" left out: it has no name/);
  rig.detach();
  const statuses: string[] = [];
  rig.bridge.attach({
    call: () => Promise.reject(new Error("no")),
    onStatus: (message) => statuses.push(message),
  });
  assert.deepEqual(statuses, rig.statuses);
});

Deno.test("bridge serves several relays of one turn", async () => {
  await using rig = await openRig();
  await using one = await connectClient(rig.env);
  await using two = await connectClient(rig.env);
  const results = await Promise.all(
    [one, two].map(({ client }, n) => client.callTool({ name: "echo", arguments: { n } })),
  );
  assert.deepEqual(results.map(textOf), ['{"n":0}', '{"n":1}']);
  assert.equal(rig.bridge.connections, 2);
});

Deno.test("bridge knows its tools by the names codex records, and no others", async () => {
  await using rig = await openRig({ tools: [{ name: "web.search" }] });
  const { hostName } = rig.bridge;
  const of = hostName.bind(rig.bridge);
  assert.equal(of("mcp__plexum_host", "web_search"), "web.search");
  assert.equal(of(undefined, "mcp__plexum_host__web_search"), "web.search");
  assert.equal(of("mcp__plexum_host", "web.search"), undefined);
  assert.equal(of("mcp__other", "web_search"), undefined);
  assert.equal(of(undefined, "web_search"), undefined);
});

Deno.test("bridge keeps tool names of any kind out of codex's configuration", async () => {
  const names = ['a"b', "a\nb", "]={x=1}", "\\", "'''", "-c", "${x}", "\u2028"];
  await using rig = await openRig({ tools: names.map((name) => ({ name })) });
  await using codex = await connectClient(rig.env);
  const { tools } = await codex.client.listTools();
  assert.deepEqual(tools.map((tool) => tool.title), names);
  for (const tool of tools) {
    assert.match(tool.name, /^[A-Za-z0-9_]+$/);
    await codex.client.callTool({ name: tool.name });
  }
  assert.deepEqual(rig.calls.map((call) => call.name), names);
});

Deno.test("bridge refuses an agent id that no hello can hold", async () => {
  await assert.rejects(openRig({ agentId: "x".repeat(5000) }), /the agent id makes the hello/);
});

Deno.test("bridge says when codex shows tools through its search only", async () => {
  await using rig = await openRig({}, {
    omitToolsFrom: false,
    toolsDeferredFrom: 1,
  });
  assert.match(rig.statuses.join(), /through its tool search only/);
  assert.ok(!rig.config.join().includes("omit_tools_from"));
});

Deno.test("bridge says when codex hides that many tools, and not for fewer", async () => {
  const capabilities = { omitToolsFrom: false, toolsDeferredFrom: 100 };
  const tools = Array.from({ length: 100 }, (_, n) => ({ name: `t${n}` }));
  await using many = await openRig({ tools }, capabilities);
  assert.match(many.statuses.join(), /with 100 tools or more, as here with 100, this codex shows/);
  await using fewer = await openRig({ tools: tools.slice(1) }, capabilities);
  assert.deepEqual(fewer.statuses, []);
});

Deno.test({
  name: "bridge gives tools to a relay that descends from codex, and to nobody else with its token",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
  async fn() {
    const asked: number[] = [];
    let codexs = true;
    const owns = (pid: number) => (asked.push(pid), Promise.resolve(codexs));
    await using rig = await openRig({ owns });
    await using codex = await connectClient(rig.env);
    assert.equal(
      textOf(await codex.client.callTool({ name: "echo", arguments: { a: 1 } })),
      '{"a":1}',
    );
    assert.deepEqual(asked, [codex.transport.process.pid]);
    codexs = false;
    using thief = await Stranger.connect(rig.env.PLEXUM_MCP_SOCKET ?? "");
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } };
    await thief.say(helloFor(rig.env, { pid: Deno.pid }) + JSON.stringify(call) + "\n");
    assert.doesNotMatch(await thief.heard(), /result/);
    assert.match(rig.statuses.join(), /process \d+ showed the token, but is not codex's/);
    assert.equal(rig.calls.length, 1);
    assert.equal(rig.bridge.refused, 1);
    assert.deepEqual(
      [...Deno.readDirSync(dirname(rig.env.PLEXUM_MCP_SOCKET ?? ""))].map((e) => e.name),
      [
        "s",
      ],
      "no proof is left behind",
    );
  },
});

Deno.test({
  name: "bridge answers a relay whose proof cannot be asked for, and goes on",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
  async fn() {
    await using rig = await openRig({ owns: () => Promise.resolve(true) });
    using relay = await Stranger.connect(rig.env.PLEXUM_MCP_SOCKET ?? "");
    const directory = dirname(rig.env.PLEXUM_MCP_SOCKET ?? "");
    await Deno.rename(directory, `${directory}-moved`);
    await relay.say(helloFor(rig.env));
    assert.match(await relay.heard(), /"admitted":false,"reason":"its proof cannot be asked for/);
    assert.match(rig.statuses.join(), /a connection was refused: its proof cannot be asked for/);
    await Deno.rename(`${directory}-moved`, directory);
    await using codex = await connectClient(rig.env);
    assert.equal(textOf(await codex.client.callTool({ name: "echo" })), "{}");
  },
});

Deno.test({
  name: "bridge does not believe a pid that did not open the proof",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
  async fn() {
    await using rig = await openRig({ owns: () => Promise.resolve(true) });
    await using codex = await connectClient(rig.env);
    const { pid } = codex.transport.process;
    using thief = await Stranger.connect(rig.env.PLEXUM_MCP_SOCKET ?? "");
    await thief.say(helloFor(rig.env, { pid }));
    const { proof } = JSON.parse(await thief.next());
    // The thief opens the file itself, and says that it is the relay.
    using _mine = await Deno.open(proof);
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    await thief.say(JSON.stringify(list) + "\n");
    assert.doesNotMatch(await thief.heard(), /echo/);
    assert.match(rig.statuses.join(), new RegExp(`process ${pid} showed the token, but`));
  },
});

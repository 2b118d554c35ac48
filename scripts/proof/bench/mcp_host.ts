/**
 * The relay, measured against what it could be at best and what it replaces.
 *
 * - Ready: from spawn until a byte of codex's has arrived in the plugin, against a program of one
 *   line compiled the same way, from spawn until its byte has arrived.
 * - Round trip: a tool call through relay and bridge, against the same tool in a Node process with
 *   the official SDK on stdio. The bridge is in a process of its own, as the plugin is.
 * - Memory: what a relay has for itself while another process of the executable runs.
 *
 * Everything is interleaved within one run, because only ratios travel between machines.
 */
import { join } from "@std/path";
import { openBridge } from "../../../mcp_host/bridge.ts";
import { compile } from "../../compile.ts";
import { executable } from "../../../tests/support/checkout.ts";
import { ROOT } from "../../project.ts";
import { BarePlugin } from "../../../tests/support/bare_plugin.ts";
import { figure, ratio, report } from "./figures/figure.ts";
import { quantile } from "../series.ts";
import { lines } from "./turn/contender.ts";

const STARTS = 40;
const CALLS = 2000;

const tool = { name: "echo", description: "Echoes.", inputSchema: { type: "object" } };
const encoder = new TextEncoder();

/** A direct MCP server, as people write them. */
const NODE_SERVER = join(ROOT, "scripts", "proof", "bench", "turn", "mcp_server.mjs");

/** The plugin's side, in a process of its own: prints the relay's environment, ends with stdin. */
async function runBridge(runtimeDir: string): Promise<void> {
  const bridge = await openBridge({
    agentId: "bench",
    tools: [tool],
    executable: [],
    runtimeDir,
    toolTimeoutMs: 60_000,
    resultMaxBytes: 1_000_000,
  }, { omitToolsFrom: true });
  bridge.attach({
    call: () => Promise.resolve({ content: [{ type: "text", text: "done" }] }),
    onStatus: (message) => console.error(message),
  });
  console.log(JSON.stringify(bridge.access?.env));
  await Deno.stdin.read(new Uint8Array(1));
  await bridge.close();
}

async function measure(): Promise<void> {
  const folder = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    Deno.writeTextFileSync(join(folder, "main.mjs"), 'console.log("hello");\n');
    await compile({ bundle: folder, output: join(folder, "hello") });
    const { command, args } = await executable();
    const relay: Program = [command, ...args, "mcp-host"];
    await ready([join(folder, "hello")], relay, folder);
    await roundTrips(relay, ["node", NODE_SERVER, JSON.stringify(tool)], folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

type Program = [string, ...string[]];

function spawn([command, ...args]: Program, env: Record<string, string> = {}): Deno.ChildProcess {
  const options = { args, env, stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  return new Deno.Command(command, options).spawn();
}

async function ready(hello: Program, relay: Program, folder: string): Promise<void> {
  Deno.chmodSync(folder, 0o700);
  const times: Record<string, number[]> = { hello: [], relay: [], answered: [] };
  for (let round = 0; round < STARTS; round++) {
    const started = performance.now();
    const floor = spawn(hello);
    await floor.stdout.getReader().read();
    times.hello?.push(performance.now() - started);
    await floor.stdin.close();
    await floor.status;
    const [first, answered] = await relayOnce(relay, join(folder, "s"));
    times.relay?.push(first);
    times.answered?.push(answered);
  }
  const { hello: theirs = [], relay: first = [], answered = [] } = times;
  const question = "mcp-host is ready, against a program of one line";
  report([
    ratio({
      question,
      name: "codex's first byte is in the plugin",
      goal: 1.15,
      ours: first,
      theirs,
    }),
    ratio({ question, name: "the plugin's first byte is in codex", ours: answered, theirs }),
  ]);
}

/** Times from spawn until codex's byte is in the plugin, and the plugin's is in codex. */
async function relayOnce(relay: Program, socket: string): Promise<[number, number]> {
  const listener = Deno.listen({ transport: "unix", path: socket });
  const started = performance.now();
  const env = { PLEXUM_MCP_SOCKET: socket, PLEXUM_MCP_AGENT_ID: "bench", PLEXUM_MCP_TOKEN: "t" };
  const process = spawn(relay, env);
  const stdin = process.stdin.getWriter();
  const said = stdin.write(encoder.encode("x"));
  const conn = await listener.accept();
  const buffer = new Uint8Array(4096);
  let heard = "";
  while (!heard.endsWith("\nx")) {
    heard += new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
  }
  const first = performance.now() - started;
  await conn.write(encoder.encode('{"plexum_mcp":2,"admitted":true}\ny'));
  await process.stdout.getReader().read();
  const answered = performance.now() - started;
  await said;
  conn.close();
  await process.status;
  await stdin.close().catch(() => {});
  listener.close();
  Deno.removeSync(socket);
  return [first, answered];
}

async function roundTrips(relay: Program, direct: Program, folder: string): Promise<void> {
  const self = [Deno.execPath(), "run", "-A", import.meta.filename ?? "", "bridge", folder];
  const bridge = spawn(self as Program);
  const env = JSON.parse((await lines(bridge.stdout).next()).value ?? "{}");
  const start = ([command, ...args]: Program, more = {}) =>
    BarePlugin.start({ ...Deno.env.toObject(), ...more }, { command, args });
  const clients = {
    "Node, official SDK, stdio": await start(direct),
    "relay and bridge": await start(relay, env),
  };
  const { pid } = clients["relay and bridge"];
  const second = spawn(relay, env);
  const times: Record<string, number[]> = {};
  const fresh = privateMemory(pid);
  const params = { name: "echo", arguments: { text: "x".repeat(200) } };
  for (let call = 1; call <= CALLS; call++) {
    for (const [name, client] of Object.entries(clients)) {
      const started = performance.now();
      await client.request(call, "tools/call", params);
      if (call > CALLS / 10) (times[name] ??= []).push(performance.now() - started);
    }
  }
  const base = times["Node, official SDK, stdio"] ?? [];
  const ours = times["relay and bridge"] ?? [];
  const added = ours.map((ms, index) => ms - (base[index] ?? NaN));
  const us = (q: number): string =>
    [ours, base].map((values) => `${(quantile(values, q) * 1000).toFixed(0)} µs`).join(" to ");
  const question = "a tool call, through relay and bridge against a direct Node server";
  const name = "added to a call";
  report([
    figure({ question, name, values: added, goal: 0.3, unit: "ms", note: `p50 ${us(0.5)}` }),
    figure({
      ...{ question, name: "p99 of the calls", unit: "×" },
      values: [quantile(ours, 0.99) / quantile(base, 0.99)],
      note: `p99 ${us(0.99)}`,
    }),
  ]);
  const after = privateMemory(pid);
  console.log(`\n| memory of a relay | own MiB | clean pages only it has touched |\n|---|---|---|`);
  console.log(`| ready | ${fresh.own} | ${fresh.clean} |`);
  console.log(`| after ${CALLS} calls | ${after.own} | ${after.clean} |`);
  for (const client of Object.values(clients)) await client[Symbol.asyncDispose]();
  for (const process of [second, bridge]) {
    await process.stdin.close().catch(() => {});
    await process.status;
  }
}

/**
 * What the process has for itself, in MiB (Linux). Clean pages of the executable are the system's
 * cache, shared with the plugin as far as both touch them, so they stand apart.
 */
function privateMemory(pid: number): { own: string; clean: string } {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const mib = (key: string) =>
    (Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1] ?? NaN) / 1024).toFixed(1);
  return { own: mib("Private_Dirty"), clean: mib("Private_Clean") };
}

if (Deno.args[0] === "bridge") await runBridge(Deno.args[1] ?? "");
else await measure();

/**
 * The plugin as a contender: the smallest host that can ask it for a turn. It checks nothing, because
 * its own time would count as the plugin's; `tests/support/host.ts` is the one that checks.
 *
 *     deno run -A host.ts PLUGIN ARGS…
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import type { Asked, Took } from "./contender.ts";
import { lines } from "./lines.ts";

interface Frame {
  id?: number;
  method?: string;
  params?: { event?: { type?: string } };
  result?: { thread_id?: string; stop_reason?: string };
  error?: { message: string };
}

const [command = "", ...args] = Deno.args;
const options = { args, stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
const plugin = new Deno.Command(command, options).spawn();
const writer = plugin.stdin.getWriter();
const frames = lines(plugin.stdout);
const encoder = new TextEncoder();

const send = (frame: unknown): Promise<void> =>
  writer.write(encoder.encode(JSON.stringify({ jsonrpc: "2.0", ...frame as object }) + "\n"));

async function next(): Promise<Frame> {
  const { value } = await frames.next();
  if (value === undefined) throw new Error("the plugin ended");
  return JSON.parse(value) as Frame;
}

async function turn({ workspace, prompt, tools }: Asked, id: number): Promise<Took> {
  const started = performance.now();
  const messages = [{ role: "user", content: prompt }];
  const request = { messages, ...(tools ? { tools } : {}) };
  const agent = { agent_id: "bench", workspace };
  await send({ id, method: "plexum/provider/stream", params: { agent, request } });
  let ended = NaN;
  for (;;) {
    const { id: answered, method, params, result, error } = await next();
    if (error) throw new Error(error.message);
    if (params?.event?.type === "message_end") ended = performance.now() - started;
    if (method === "plexum/host/tool/call") {
      await send({ id: answered, result: { content: [{ type: "text", text: "done" }] } });
    } else if (answered === id) {
      if (result?.stop_reason !== "end_turn") throw new Error(`ended by ${result?.stop_reason}`);
      return { ms: ended, toldMs: ended, thread: result.thread_id ?? "" };
    }
  }
}

const clientInfo = { name: "bench", version: "1" };
const handshake = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
await send({ id: 0, method: "initialize", params: handshake });
while ((await next()).id !== 0);
await send({ method: "notifications/initialized" });
let id = 0;
for await (const line of lines(Deno.stdin.readable)) {
  console.log(JSON.stringify(await turn(JSON.parse(line) as Asked, ++id)));
}
await writer.close();
await plugin.status;

/**
 * The plugin as a contender, behind the smallest host there can be.
 *
 *     deno run -A host.ts PLUGIN ARGS…
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import { type Asked, lines, type Took } from "./contender.ts";
import { PluginHost } from "./plugin_host.ts";

async function turn({ workspace, prompt, tools, consume }: Asked, id: number): Promise<Took> {
  if (consume) await consumed(workspace, -id);
  const started = performance.now();
  await host.ask(id, workspace, prompt, tools);
  let [ms, deltaMs] = [NaN, NaN];
  for (;;) {
    const { id: asked, method, params, result, error } = await host.next();
    if (error) throw new Error(error.message);
    if (params?.event?.type === "text_delta" && Number.isNaN(deltaMs)) {
      deltaMs = performance.now() - started;
    }
    if (params?.event?.type === "message_end") ms = performance.now() - started;
    if (method === "plexum/host/tool/call") {
      await host.send({ id: asked, result: { content: [{ type: "text", text: "done" }] } });
    } else if (asked === id) {
      if (result?.stop_reason !== "end_turn") throw new Error(`ended by ${result?.stop_reason}`);
      return { ms, toldMs: ms, deltaMs, thread: result.thread_id ?? "" };
    }
  }
}

/** Nothing has to be found for it: what the plugin does with the thread is the same. */
async function consumed(workspace: string, id: number): Promise<void> {
  const mutations = [{ block_id: "call_none", op: "consume-light" }];
  const params = { agent_id: "bench", workspace, mutations };
  await host.send({ id, method: "plexum/session/mutate", params });
  while ((await host.next()).id !== id);
}

await using host = new PluginHost(Deno.args);
await host.initialize();
let id = 0;
for await (const line of lines(Deno.stdin.readable)) {
  console.log(JSON.stringify(await turn(JSON.parse(line) as Asked, ++id)));
}

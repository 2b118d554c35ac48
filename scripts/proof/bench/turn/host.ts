/**
 * The plugin as a contender, behind the smallest host there can be.
 *
 *     deno run -A host.ts PLUGIN ARGS…
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import type { Asked, Took } from "./contender.ts";
import { lines } from "./lines.ts";
import { PluginHost } from "./plugin_host.ts";

async function turn({ workspace, prompt, tools }: Asked, id: number): Promise<Took> {
  const started = performance.now();
  await host.ask(id, workspace, prompt, tools);
  let ms = NaN;
  for (;;) {
    const { id: asked, method, params, result, error } = await host.next();
    if (error) throw new Error(error.message);
    if (params?.event?.type === "message_end") ms = performance.now() - started;
    if (method === "plexum/host/tool/call") {
      await host.send({ id: asked, result: { content: [{ type: "text", text: "done" }] } });
    } else if (asked === id) {
      if (result?.stop_reason !== "end_turn") throw new Error(`ended by ${result?.stop_reason}`);
      return { ms, toldMs: ms, thread: result.thread_id ?? "" };
    }
  }
}

await using host = new PluginHost(Deno.args);
await host.initialize();
let id = 0;
for await (const line of lines(Deno.stdin.readable)) {
  console.log(JSON.stringify(await turn(JSON.parse(line) as Asked, ++id)));
}

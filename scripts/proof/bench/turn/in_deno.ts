/**
 * Contenders in Deno:
 *
 *     deno run -A in_deno.ts plugin PLUGIN ARGS…    behind the smallest host there can be
 *     deno run -A in_deno.ts deno CODEX             a bare `codex exec --json`
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import { METHOD } from "../../../../plugin/protocol.ts";
import { BarePlugin } from "../../../../tests/support/bare_plugin.ts";
import { type Asked, lines, type Took } from "./contender.ts";

const [name, command = "", ...args] = Deno.args;

/** What a program does that starts codex and does nothing else. */
async function bare({ workspace, prompt, thread }: Asked): Promise<Took> {
  const started = performance.now();
  const exec = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "workspace-write"];
  const session = thread === undefined ? ["-"] : ["resume", thread, "-"];
  const child = new Deno.Command(command, {
    args: [...exec, "-C", workspace, ...session],
    cwd: workspace,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(prompt));
  await stdin.close();
  let toldMs = NaN;
  let began = "";
  for await (const line of lines(child.stdout)) {
    const event = JSON.parse(line) as { type: string; thread_id?: string };
    if (event.type === "thread.started") began = event.thread_id ?? "";
    if (event.type === "turn.completed") toldMs = performance.now() - started;
  }
  const { code } = await child.status;
  const ms = performance.now() - started;
  if (code !== 0 || Number.isNaN(toldMs)) throw new Error(`codex ended with ${code}, turn undone`);
  return { ms, toldMs, thread: began };
}

async function throughPlugin(host: BarePlugin, asked: Asked, id: number): Promise<Took> {
  const { workspace, prompt, tools, consume } = asked;
  if (consume) await consumed(host, workspace, -id);
  const started = performance.now();
  await host.ask(id, workspace, prompt, tools);
  let ms = NaN;
  for (;;) {
    const { id: about, method, params, result, error } = await host.next();
    if (error) throw new Error(error.message);
    if (params?.event?.type === "message_end") ms = performance.now() - started;
    if (method === METHOD.hostToolCall) {
      await host.send({ id: about, result: { content: [{ type: "text", text: "done" }] } });
    } else if (about === id) {
      if (result?.stop_reason !== "end_turn") throw new Error(`ended by ${result?.stop_reason}`);
      return { ms, toldMs: ms, thread: result.thread_id ?? "" };
    }
  }
}

/** Nothing has to be found for it: what the plugin does with the thread is the same. */
async function consumed(host: BarePlugin, workspace: string, id: number): Promise<void> {
  const mutations = [{ block_id: "call_none", op: "consume-light" }];
  await host.request(id, METHOD.mutate, { agent_id: "cx", workspace, mutations });
}

await using host = name === "plugin"
  ? await BarePlugin.start(Deno.env.toObject(), { command, args })
  : undefined;
let id = 0;
for await (const line of lines(Deno.stdin.readable)) {
  const asked: Asked = JSON.parse(line);
  const took = host === undefined ? await bare(asked) : await throughPlugin(host, asked, ++id);
  console.log(JSON.stringify(took));
}

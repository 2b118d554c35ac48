/**
 * A bare `codex exec --json` in Deno: what a program does that starts codex and does nothing else.
 *
 *     deno run -A spawner.ts CODEX
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import { type Asked, lines, type Took } from "./contender.ts";

const [codex = ""] = Deno.args;
const exec = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "workspace-write"];

async function turn({ workspace, prompt, thread }: Asked): Promise<Took> {
  const started = performance.now();
  const session = thread === undefined ? ["-"] : ["resume", thread, "-"];
  const child = new Deno.Command(codex, {
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

for await (const line of lines(Deno.stdin.readable)) {
  console.log(JSON.stringify(await turn(JSON.parse(line) as Asked)));
}

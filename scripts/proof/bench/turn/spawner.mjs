/**
 * A bare `codex exec --json` in Node: what a program does that starts codex and does nothing else.
 *
 *     node spawner.mjs CODEX
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

const codex = process.argv[2];
const exec = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "workspace-write"];

async function turn({ workspace, prompt, thread }) {
  const started = performance.now();
  const session = thread === undefined ? ["-"] : ["resume", thread, "-"];
  const child = spawn(codex, [...exec, "-C", workspace, ...session], {
    cwd: workspace,
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.end(prompt);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let toldMs = NaN;
  let began = "";
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type === "thread.started") began = event.thread_id;
    if (event.type === "turn.completed") toldMs = performance.now() - started;
  }
  const code = await exited;
  const ms = performance.now() - started;
  if (code !== 0 || Number.isNaN(toldMs)) throw new Error(`codex ended with ${code}, turn undone`);
  return { ms, toldMs, thread: began };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await turn(JSON.parse(line))));
}

/**
 * The smallest client of a `codex app-server` that stays: what a program does that writes three
 * requests and waits for `turn/completed`. It sees no tool calls with codex's ids, cleans nothing up
 * and trusts whatever comes.
 *
 *     node smallest_app_server.mjs CODEX
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line:
 * `ms` to `turn/completed`, `deltaMs` to the first piece of text.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

const server = spawn(process.argv[2], ["app-server"], { stdio: ["pipe", "pipe", "ignore"] });
const pending = new Map();
let heard = () => {};
let id = 0;
createInterface({ input: server.stdout }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.method === undefined) pending.get(message.id)?.(message.result);
  else heard(message);
});
const ask = (method, params) =>
  new Promise((resolve) => {
    pending.set(++id, resolve);
    server.stdin.write(JSON.stringify({ id, method, params }) + "\n");
  });

async function turn({ workspace, prompt, thread }) {
  const started = performance.now();
  const sandbox = { cwd: workspace, approvalPolicy: "never", sandbox: "read-only" };
  const threadId = thread ?? (await ask("thread/start", sandbox)).thread.id;
  let deltaMs = NaN;
  const over = new Promise((resolve) =>
    heard = ({ method }) => {
      if (method === "item/agentMessage/delta") {
        if (Number.isNaN(deltaMs)) deltaMs = performance.now() - started;
      } else if (method === "turn/completed") resolve();
    }
  );
  const input = [{ type: "text", text: prompt, text_elements: [] }];
  await ask("turn/start", { threadId, input, sandboxPolicy: { type: "workspaceWrite" } });
  await over;
  const ms = performance.now() - started;
  return { ms, toldMs: ms, deltaMs, thread: threadId };
}

await ask("initialize", { clientInfo: { name: "bench", version: "1" } });
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await turn(JSON.parse(line))));
}
server.stdin.end();

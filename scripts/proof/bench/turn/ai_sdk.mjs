/**
 * `ai-sdk-provider-codex-cli` as a contender: its provider for `codex exec`, through the AI SDK. That
 * one cannot resume a thread, so it only plays first turns.
 *
 *     node ai_sdk.mjs CODEX PACKAGES
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , codexPath, packages] = process.argv;
const load = (path) => import(pathToFileURL(`${packages}/node_modules/${path}`).href);
const { generateText } = await load("ai/dist/index.js");
const { createCodexExec } = await load("ai-sdk-provider-codex-cli/dist/index.js");
const provider = createCodexExec();

async function turn({ workspace, prompt }) {
  const settings = {
    codexPath,
    logger: false,
    cwd: workspace,
    skipGitRepoCheck: true,
    sandboxMode: "workspace-write",
    approvalMode: "never",
  };
  const started = performance.now();
  const { text } = await generateText({ model: provider("gpt-5.5", settings), prompt });
  const ms = performance.now() - started;
  if (text === "") throw new Error("ai-sdk-provider-codex-cli: the turn said nothing");
  return { ms, toldMs: ms, thread: "" };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await turn(JSON.parse(line))));
}

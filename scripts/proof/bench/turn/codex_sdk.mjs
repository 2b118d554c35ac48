/**
 * `@openai/codex-sdk` as a contender, used as its readme says.
 *
 *     node codex_sdk.mjs CODEX PACKAGES
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , codexPathOverride, packages] = process.argv;
const entry = `${packages}/node_modules/@openai/codex-sdk/dist/index.js`;
const { Codex } = await import(pathToFileURL(entry).href);
const codex = new Codex({ codexPathOverride });

async function turn({ workspace, prompt, thread }) {
  const options = {
    workingDirectory: workspace,
    skipGitRepoCheck: true,
    sandboxMode: "workspace-write",
    approvalPolicy: "never",
  };
  const started = performance.now();
  const session = thread === undefined
    ? codex.startThread(options)
    : codex.resumeThread(thread, options);
  const { finalResponse } = await session.run(prompt);
  const ms = performance.now() - started;
  if (finalResponse === "") throw new Error("codex-sdk: the turn said nothing");
  return { ms, toldMs: ms, thread: session.id };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await turn(JSON.parse(line))));
}

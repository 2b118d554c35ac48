/**
 * `ai-sdk-provider-codex-cli`'s other provider as a contender: one `codex app-server` that stays.
 *
 *     node app_server.mjs CODEX PACKAGES
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , codexPath, packages] = process.argv;
const load = (path) => import(pathToFileURL(`${packages}/node_modules/${path}`).href);
const { generateText } = await load("ai/dist/index.js");
const { createCodexAppServer } = await load("ai-sdk-provider-codex-cli/dist/index.js");
const provider = createCodexAppServer({ defaultSettings: { codexPath, logger: false } });

async function turn({ workspace, prompt, thread }) {
  const settings = { cwd: workspace, sandboxPolicy: "workspace-write", approvalPolicy: "never" };
  const session = thread === undefined ? { threadMode: "persistent" } : { threadId: thread };
  const started = performance.now();
  const { text, finalStep } = await generateText({
    model: provider("gpt-5.5", settings),
    prompt,
    providerOptions: { "codex-app-server": session },
  });
  const ms = performance.now() - started;
  if (text === "") throw new Error("codex app-server: the turn said nothing");
  return { ms, toldMs: ms, thread: finalStep.providerMetadata["codex-app-server"].threadId };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await turn(JSON.parse(line))));
}
await provider.close();

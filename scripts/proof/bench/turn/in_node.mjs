/**
 * Contenders in Node, each used as its readme says or as small as can be:
 *
 *     node in_node.mjs NAME CODEX [NODE_MODULES]
 *
 * Reads turns to run from stdin and writes how long they took to stdout, one JSON object per line:
 * `ms` to the turn's end, `toldMs` to `turn.completed`.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , name, codexPath, packages] = process.argv;
const load = (path) => import(pathToFileURL(`${packages}/${path}/dist/index.js`).href);

/** Each makes a function that runs a turn and returns its thread; some have an end, and tell more times. */
const CONTENDERS = {
  /** A bare `codex exec --json`: what a program does that starts codex and does nothing else. */
  node() {
    const exec = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "workspace-write"];
    return async ({ workspace, prompt, thread }, times) => {
      const session = thread === undefined ? ["-"] : ["resume", thread, "-"];
      const child = spawn(codexPath, [...exec, "-C", workspace, ...session], {
        cwd: workspace,
        stdio: ["pipe", "pipe", "ignore"],
      });
      child.stdin.end(prompt);
      const exited = new Promise((resolve) => child.once("exit", resolve));
      let began = "";
      for await (const line of createInterface({ input: child.stdout })) {
        const event = JSON.parse(line);
        if (event.type === "thread.started") began = event.thread_id;
        if (event.type === "turn.completed") times.toldMs = times.now();
      }
      const code = await exited;
      if (code !== 0 || !times.toldMs) throw new Error(`codex ended with ${code}, turn undone`);
      return began;
    };
  },

  /**
   * The smallest client of a `codex app-server` that stays: writes three requests and waits for
   * `turn/completed`. It sees no tool calls with codex's ids, cleans nothing up, trusts whatever comes.
   */
  async smallest() {
    const server = spawn(codexPath, ["app-server"], { stdio: ["pipe", "pipe", "ignore"] });
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
    await ask("initialize", { clientInfo: { name: "bench", version: "1" } });
    end = () => server.stdin.end();
    return async ({ workspace, prompt, thread }) => {
      const sandbox = { cwd: workspace, approvalPolicy: "never", sandbox: "read-only" };
      const threadId = thread ?? (await ask("thread/start", sandbox)).thread.id;
      const over = new Promise((resolve) =>
        heard = ({ method }) => {
          if (method === "turn/completed") resolve();
        }
      );
      const input = [{ type: "text", text: prompt, text_elements: [] }];
      await ask("turn/start", { threadId, input, sandboxPolicy: { type: "workspaceWrite" } });
      await over;
      return threadId;
    };
  },

  /** `@openai/codex-sdk`. */
  async codexSdk() {
    const { Codex } = await load("@openai/codex-sdk");
    const codex = new Codex({ codexPathOverride: codexPath });
    return async ({ workspace, prompt, thread }) => {
      const options = {
        ...{ workingDirectory: workspace, skipGitRepoCheck: true },
        ...{ sandboxMode: "workspace-write", approvalPolicy: "never" },
      };
      const session = thread === undefined
        ? codex.startThread(options)
        : codex.resumeThread(thread, options);
      said((await session.run(prompt)).finalResponse);
      return session.id;
    };
  },

  /** `ai-sdk-provider-codex-cli`, through the AI SDK. It cannot resume a thread: only first turns. */
  async aiSdk() {
    const { generateText } = await load("ai");
    const provider = (await load("ai-sdk-provider-codex-cli")).createCodexExec();
    return async ({ workspace, prompt }) => {
      const settings = {
        ...{ codexPath, logger: false, cwd: workspace, skipGitRepoCheck: true },
        ...{ sandboxMode: "workspace-write", approvalMode: "never" },
      };
      said((await generateText({ model: provider("gpt-5.5", settings), prompt })).text);
      return "";
    };
  },

  /** The same package's other provider: one `codex app-server` that stays. */
  async appServer() {
    const { generateText } = await load("ai");
    const { createCodexAppServer } = await load("ai-sdk-provider-codex-cli");
    const provider = createCodexAppServer({ defaultSettings: { codexPath, logger: false } });
    end = () => provider.close();
    return async ({ workspace: cwd, prompt, thread }) => {
      const settings = { cwd, sandboxPolicy: "workspace-write", approvalPolicy: "never" };
      const session = thread === undefined ? { threadMode: "persistent" } : { threadId: thread };
      const { text, finalStep } = await generateText({
        model: provider("gpt-5.5", settings),
        prompt,
        providerOptions: { "codex-app-server": session },
      });
      said(text);
      return finalStep.providerMetadata["codex-app-server"].threadId;
    };
  },
};

function said(text) {
  if (text === "") throw new Error(`${name}: the turn said nothing`);
}

let end = () => {};
const turn = await CONTENDERS[name]();
for await (const line of createInterface({ input: process.stdin })) {
  const started = performance.now();
  const times = { now: () => performance.now() - started };
  const thread = await turn(JSON.parse(line), times);
  const ms = times.now();
  console.log(JSON.stringify({ ms, toldMs: ms, ...times, thread }));
}
await end();

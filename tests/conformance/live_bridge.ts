/**
 * A live bridge of the compiled plugin, and how to start `mcp-host` in it as codex would.
 *
 * A turn with tools is under way; the codex of that turn does nothing but wait, and starts `mcp-host`
 * for whoever connects: the plugin serves nobody but what descends from codex.
 */
import { join } from "@std/path";
import { METHOD, type Tool } from "../../plugin/protocol.ts";
import { type Executable, executable } from "../support/checkout.ts";
import { began, completed, fakeCodex } from "../support/fake_codex.ts";
import { startHost } from "../support/host.ts";
import type { RequestHandler } from "../support/peer.ts";
import { openSandbox } from "../support/sandbox.ts";

/** A program that is another one, at the other end of a socket. */
const STDIO_TO_SOCKET = `const socket = require("node:net").connect(process.argv[1]);
process.stdin.pipe(socket).pipe(process.stdout);`;

/** How to start `mcp-host`. */
export interface LiveBridge extends AsyncDisposable {
  command: string;
  args: string[];
  /** The whole environment. */
  env: Record<string, string>;
}

/** Opens it; the turn ends when it is disposed of, and must end well. */
export async function openLiveBridge(tools: Tool[], answer: RequestHandler): Promise<LiveBridge> {
  const program: Executable = await executable();
  await using opened = new AsyncDisposableStack();
  const sandbox = opened.use(await openSandbox({ binary: "codex" }));
  // It begins at the end: a codex that begins without having connected is stopped by the plugin.
  const args = [...program.args, "mcp-host"];
  const socket = join(sandbox.temp, "stdio");
  const relays = { socket, command: program.command, args };
  const acts = [{ relays }, { mark: "listening" }, { waitFor: "end" }, began(), completed()];
  const codex = await fakeCodex(sandbox.root, { acts });
  await sandbox.configure({ binary: codex.path });
  const host = opened.use(await startHost({ env: sandbox.env }));
  await host.initialize();
  host.onRequest(METHOD.hostToolCall, answer);
  const turn = host.stream({
    model: "codex",
    agent: { agent_id: "cx", workspace: sandbox.workspace },
    session_id: "s_1",
    request: { messages: [{ role: "user", content: "wait" }], tools },
  });
  opened.defer(async () => {
    await codex.pull("end");
    await turn.result;
  });
  await codex.reached("listening");
  const { HOME = "", PATH = "", TMPDIR = "" } = sandbox.env;
  const resources = opened.move();
  return {
    command: "node",
    args: ["-e", STDIO_TO_SOCKET, socket],
    env: { HOME, PATH, TMPDIR },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What a program said, and its exit code. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; `env` is the whole environment, ours when left out. */
export async function run(
  command: string,
  args: string[],
  cwd: string,
  env?: Record<string, string>,
): Promise<Said> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    ...(env ? { env, clearEnv: true } : {}),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/**
 * A live bridge of the compiled plugin, and how to start `mcp-host` in it as codex would.
 *
 * A turn with tools is under way; the codex of that turn does nothing but wait, so whoever starts
 * `mcp-host` with what codex was given is connected to the host's tools.
 */
import type { Tool } from "../../plugin/protocol.ts";
import { METHOD } from "../../plugin/protocol.ts";
import { type Executable, executable } from "../support/checkout.ts";
import { began, completed, fakeCodex } from "../support/fake_codex.ts";
import { startHost } from "../support/host.ts";
import type { RequestHandler } from "../support/peer.ts";
import { openSandbox } from "../support/sandbox.ts";

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
  const acts = [{ mark: "listening" }, { waitFor: "end" }, began(), completed()];
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
  const [run] = await codex.runs();
  const given = Object.entries(run?.env ?? {}).filter(([name]) => name.startsWith("PLEXUM_MCP_"));
  const { HOME, PATH, TMPDIR } = sandbox.env;
  const resources = opened.move();
  return {
    command: program.command,
    args: [...program.args, "mcp-host"],
    env: {
      ...Object.fromEntries(given),
      ...Object.fromEntries(
        Object.entries({ HOME, PATH, TMPDIR }).filter((entry): entry is [string, string] =>
          entry[1] !== undefined
        ),
      ),
    },
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

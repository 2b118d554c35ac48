/**
 * The host's tools for one turn: opens the bridge that codex reaches them through.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import type { Bridge } from "../mcp_host/bridge.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import type { CodexBinary } from "./codex/codex_binary.ts";
import { codexHome } from "./codex/environment.ts";
import { clip } from "../base/clip.ts";
import { TurnError } from "./turn_event.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";
import type { Variables } from "../base/variables.ts";

/** What the bridge asks of the turn. */
export interface HostToolsTurn {
  status(message: string, data?: Record<string, unknown>): void;
  /** Tells the call before it is run, and finds its id. */
  identify(call: HostToolCall): Promise<string | undefined>;
}

/**
 * Opens the bridge when the request brings tools. The caller closes it.
 * @throws {TurnError} `mcp_unavailable` when the socket cannot be made: a turn without its tools
 * would be a silent surprise.
 */
export async function openHostTools(
  { tools, agentId, callTool }: TurnRequest,
  { settings, executable, runtimeDirectory, version }: TurnContext,
  codex: CodexBinary,
  environment: Variables,
  turn: HostToolsTurn,
): Promise<Bridge | undefined> {
  if (tools.length === 0) return undefined;
  // Loaded only for turns that bring tools.
  const { openBridge } = await import("../mcp_host/bridge.ts");
  try {
    const bridge = await openBridge({
      agentId,
      tools,
      executable,
      version,
      runtimeDir: runtimeDirectory,
      toolTimeoutMs: settings.toolTimeoutMs,
      resultMaxBytes: settings.toolResultMaxBytes,
      codexConfig: settings.mcpRegistration === "codex-config"
        ? { codex: codex.path, codexHome: codexHome(environment), env: environment }
        : undefined,
    }, codex.capabilities);
    bridge.attach({
      onStatus: (message, data) => turn.status(message, data),
      call: async (call) => {
        const callId = await turn.identify(call);
        return await callTool({ ...call, callId });
      },
    });
    return bridge;
  } catch (error) {
    throw new TurnError({
      kind: "mcp_unavailable",
      message: clip(`host tools: ${errorMessage(error)}`),
      retryable: true,
      hint: "XDG_RUNTIME_DIR (or TMPDIR) must be a directory of ours with a short path.",
    });
  }
}

/**
 * The host's tools for one turn: opens the bridge that codex reaches them through.
 *
 * @module
 */
import type { Bridge } from "../mcp_host/bridge.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import type { CodexBinary } from "./codex_binary.ts";
import { clip } from "./failure.ts";
import { TurnError } from "./turn_event.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";

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
  { capabilities }: CodexBinary,
  turn: HostToolsTurn,
): Promise<Bridge | undefined> {
  if (tools.length === 0) return undefined;
  if (capabilities.toolsDeferred) {
    turn.status(
      `codex ${capabilities.version} offers MCP tools to the model through tool search only; 0.148 and later list them directly`,
    );
  }
  // Loaded only for turns that bring tools.
  const { openBridge } = await import("../mcp_host/bridge.ts");
  try {
    return await openBridge({
      agentId,
      tools,
      executable,
      version,
      runtimeDir: runtimeDirectory,
      toolTimeoutMs: settings.toolTimeoutMs,
      resultMaxBytes: settings.toolResultMaxBytes,
      onStatus: (message, data) => turn.status(message, data),
      call: async (call) => {
        const callId = await turn.identify(call);
        return await callTool({ ...call, callId });
      },
    }, capabilities);
  } catch (error) {
    throw new TurnError({
      kind: "mcp_unavailable",
      message: clip(`host tools: ${error instanceof Error ? error.message : error}`),
      retryable: false,
      hint: "XDG_RUNTIME_DIR (or TMPDIR) must be a directory of ours with a short path.",
    });
  }
}

/**
 * What a bridge is asked for and what it offers: the interface to whoever runs the turn.
 *
 * @module
 */
import type { LeftOut } from "./server/catalogue.ts";
import type { CodexConfig } from "./registration/codex_config.ts";
import type { HostTool, HostToolCall, HostToolResult, Timer } from "./host_tool.ts";

/** What a bridge is made of. Times are milliseconds. */
export interface BridgeOptions {
  agentId: string;
  tools: readonly HostTool[];
  /** Runs a tool at the host. */
  call: (call: HostToolCall) => Promise<HostToolResult>;
  /** How codex starts this executable: path and leading arguments; `mcp-host` is appended. */
  executable: readonly string[];
  /** Where the socket's directory is made: `$XDG_RUNTIME_DIR` or a temp directory. */
  runtimeDir: string;
  toolTimeoutMs: number;
  resultMaxBytes: number;
  startupTimeoutMs?: number;
  /** Named to codex as the server's version. */
  version?: string;
  /** Register in codex's own config (`codex mcp add`) instead of for this run only. */
  codexConfig?: CodexConfig | undefined;
  /** A tool left out, a stranger refused, …: what an operator would want to read. */
  onStatus: (message: string, data?: Record<string, unknown>) => void;
  /** Told of every call before anything is done about it. */
  onCallStarted?: (call: { callId?: string; name: string }) => void;
  helloTimeoutMs?: number;
  timer?: Timer;
}

/** What the installed codex can. */
export interface BridgeCapabilities {
  /** Knows `omit_tools_from` (0.148 and later). */
  omitToolsFrom: boolean;
  /** Hides MCP tools behind a tool search, with no way round (0.142 to 0.146). */
  toolsDeferred?: boolean;
}

/** An open bridge. */
export interface Bridge {
  /** The server's name in codex. */
  readonly serverName: string;
  /**
   * Whether codex will start the relay. Only false where registering in codex's config failed; the
   * turn then runs without host tools, and `config` is empty.
   */
  readonly registered: boolean;
  /** Values for codex's `-c`, in order. */
  readonly config: string[];
  /** To be added to codex's environment; the token is in here. */
  readonly env: Record<string, string>;
  readonly leftOut: readonly LeftOut[];
  /**
   * The host's own name for a tool as codex records it, or `undefined` where it is none of ours.
   * codex writes `mcp__<server>` and the name in two fields; some places show both in one name.
   */
  hostName(namespace: string | undefined, name: string): string | undefined;
  /** Relays that were let in so far. 0 after codex announced its thread: it runs without tools. */
  readonly connections: number;
  /** Connections that were turned away so far. */
  readonly refused: number;
  /** Cancels calls under way, ends connections, removes the socket. Idempotent. */
  close(): Promise<void>;
}

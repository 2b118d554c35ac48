/**
 * The entry that our MCP server has in codex's configuration. It is given for one run or one thread
 * and merged over the user's config.toml (seen on 0.135.0, 0.150.1 and 0.169.0); nothing is written.
 *
 * @module
 */
import type { TomlValue } from "../base/toml.ts";
import { randomHex } from "./listener/token.ts";

/**
 * The name of our server in codex. The model sees its tools in the namespace `mcp__plexum_host`. A
 * server that the user configured under the same name would be merged with ours, so the name is one
 * that nobody is likely to choose.
 */
export const SERVER_NAME = "plexum_host";
/** How long codex waits for the relay to answer `initialize`, when nothing else is said. */
export const STARTUP_TIMEOUT_MS = 30_000;

/** What codex has to be told to reach the tools: an MCP server in its configuration. */
export interface BridgeAccess {
  /** The server's name in codex. */
  name: string;
  /** The entry below `mcp_servers`, without what is in `env`. Nothing in it is secret. */
  server: Record<string, TomlValue>;
  /** For the relay's environment: socket, agent id, token. Secret. */
  env: Record<string, string>;
  /** Other keys of codex's configuration, with their values. */
  config: Record<string, TomlValue>;
  /** Another one for every bridge: a thread that was loaded with it need not be told anything new. */
  fingerprint: string;
}

/** What the server's entry depends on. */
export interface Registration {
  serverName: string;
  /** How to start the relay; absent where it is registered already (`codex mcp add`). */
  command: readonly string[] | undefined;
  /** Public variables to set for the relay, over those that are registered. */
  env: Record<string, string> | undefined;
  startupTimeoutMs: number;
  toolTimeoutMs: number;
  /** Whether codex may send several calls at once. */
  parallel: boolean;
  /** Whether this codex knows `omit_tools_from` (0.148 and later). */
  omitToolsFrom: boolean;
  /** Result size above which the bridge cuts, in bytes. */
  resultMaxBytes: number;
}

/** How codex reaches a bridge. */
export function bridgeAccess(
  registration: Registration,
  env: Record<string, string>,
): BridgeAccess {
  return {
    name: registration.serverName,
    server: serverEntry(registration),
    env,
    config: { tool_output_token_limit: outputTokenLimit(registration.resultMaxBytes) },
    fingerprint: randomHex(16),
  };
}

/** The server's entry below `mcp_servers`. */
function serverEntry(registration: Registration): Record<string, TomlValue> {
  const { command, env, parallel } = registration;
  const server: Record<string, TomlValue> = {};
  if (command) {
    const [executable = "", ...args] = command;
    server.command = executable;
    server.args = args;
  }
  if (env) server.env = env;
  server.enabled = true;
  // Without it codex starts the turn after a second with or without the tools, in silence.
  server.required = true;
  server.startup_timeout_sec = Math.ceil(registration.startupTimeoutMs / 1000);
  // The bridge's own limit comes first, so that the model reads its words. Where calls run in
  // parallel some wait in the bridge behind others, and the bridge grants them as long again.
  server.tool_timeout_sec = Math.ceil(registration.toolTimeoutMs / 1000) * (parallel ? 2 : 1) + 5;
  server.default_tools_approval_mode = "approve";
  if (parallel) server.supports_parallel_tool_calls = true;
  // From 0.142 on, tools of MCP servers are hidden behind a search unless this is said.
  if (registration.omitToolsFrom) server.omit_tools_from = ["deferred", "code_mode"];
  return server;
}

/**
 * codex counts four bytes as a token and cuts above the limit (10 000 tokens by default). Up to
 * 0.150 it counts the result as JSON text, in which a byte can take two and rarely six.
 */
export function outputTokenLimit(resultMaxBytes: number): number {
  return Math.max(10_000, Math.ceil(resultMaxBytes / 2) + 1000);
}

/**
 * What `mcp-host` was told on its command line and in its environment.
 *
 * @module
 */

/** Where the plugin is and who asks. A missing part is an empty string. */
export interface RelayOptions {
  socket: string;
  agentId: string;
  token: string;
}

/** Reads flags over environment. The error words are the seed's; the host looks for them. */
export function readRelayOptions(
  argv: readonly string[],
  env: (name: string) => string | undefined,
): RelayOptions | { error: string } {
  const options: RelayOptions = {
    socket: env("PLEXUM_MCP_SOCKET") ?? "",
    agentId: env("PLEXUM_MCP_AGENT_ID") ?? "",
    token: env("PLEXUM_MCP_TOKEN") ?? "",
  };
  for (let at = 0; at < argv.length; at += 2) {
    const flag = argv[at];
    const value = argv[at + 1];
    if (flag !== "--socket" && flag !== "--agent-id") {
      return { error: `mcp-host: unknown mcp-host flag: ${flag}` };
    }
    if (!value) return { error: `mcp-host: ${flag} needs value` };
    if (flag === "--socket") options.socket = value;
    else options.agentId = value;
  }
  return options;
}

/** A host with one tool, which answers whatever it is called with. */
import { type Host, startHost } from "../../../tests/support/host.ts";

/** The host's tool, as the host offers it. */
export const TOOLS = [{
  name: "echo",
  description: "echoes",
  inputSchema: { type: "object" },
}];

/** Starts the plugin in this environment and shakes hands with it. */
export async function startEchoHost(env: Record<string, string>): Promise<Host> {
  const host = await startHost({ env });
  host.onRequest("plexum/host/tool/call", () => ({ content: [{ type: "text", text: "echo" }] }));
  await host.initialize();
  return host;
}

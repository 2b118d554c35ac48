/** Many agents at once, each with many tools: nobody's list is cut, and nobody gets another's. */
import { strict as assert } from "node:assert";
import { TextLineStream } from "@std/streams";
import { decodeAnswer, encodeHello } from "../../mcp_host/listener/hello.ts";
import { openRig } from "./rig.ts";

const HOSTS = 100;
const TOOLS = 200;

/** Lists the tools as codex would, over the socket. */
async function listTools(agentId: string, env: Record<string, string>): Promise<string[]> {
  using conn = await Deno.connect({ transport: "unix", path: env.PLEXUM_MCP_SOCKET ?? "" });
  const lines = conn.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).values();
  const writer = conn.writable.getWriter();
  await writer.write(encodeHello(agentId, env.PLEXUM_MCP_TOKEN ?? "", 1));
  const answer = new TextEncoder().encode((await lines.next()).value ?? "");
  assert.equal(decodeAnswer(answer)?.admitted, true);
  const clientInfo = { name: "codex-mcp-client", version: "0.135.0" };
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
  for (
    const message of [
      { id: 0, method: "initialize", params },
      { method: "notifications/initialized" },
      { id: 1, method: "tools/list" },
    ]
  ) {
    const line = JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n";
    await writer.write(new TextEncoder().encode(line));
  }
  for (;;) {
    const { value = "" } = await lines.next();
    const { id, result } = JSON.parse(value);
    if (id !== 1) continue;
    assert.equal(result.nextCursor, undefined);
    return result.tools.map(({ title }: { title: string }) => title);
  }
}

Deno.test(`bridges of ${HOSTS} agents list ${TOOLS} tools each, on one page and of their own`, async () => {
  await using rigs = new AsyncDisposableStack();
  const hosts = await Promise.all(Array.from({ length: HOSTS }, async (_, host) => {
    const agentId = `agent-${host}`;
    const tools = Array.from({ length: TOOLS }, (_, tool) => ({
      name: `tool ${tool} of ${agentId}`,
      inputSchema: { type: "object" },
    }));
    return { agentId, tools, rig: rigs.use(await openRig({ agentId, tools })) };
  }));
  const lists = await Promise.all(
    hosts.map(({ agentId, rig }) => listTools(agentId, rig.env)),
  );
  lists.forEach((list, host) => {
    assert.deepEqual(list, hosts[host]?.tools.map(({ name }) => name));
  });
});

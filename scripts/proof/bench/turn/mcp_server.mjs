/**
 * A tool as people give it to codex: an MCP server in Node, official SDK, on stdio.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import process from "node:process";

const tools = [JSON.parse(process.argv[2])];
const server = new Server({ name: "direct", version: "1" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
server.setRequestHandler(
  CallToolRequestSchema,
  () => ({ content: [{ type: "text", text: "done" }] }),
);
await server.connect(new StdioServerTransport());

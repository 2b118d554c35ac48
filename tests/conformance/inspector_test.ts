/**
 * The MCP inspector, an independent client, at `mcp-host` of the compiled plugin: it lists the host's
 * tools and calls them.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { MCP_INSPECTOR, npmPackage } from "../support/npm_package.ts";
import { openLiveBridge, run } from "./live_bridge.ts";

const TOOLS = [{
  name: "tide.table",
  description: "Times of the tides at a place.",
  inputSchema: {
    type: "object",
    properties: { place: { type: "string" }, days: { type: "integer" } },
    required: ["place"],
  },
}];

Deno.test("the MCP inspector lists and calls the host's tools through mcp-host", async () => {
  const inspector = join(await npmPackage(MCP_INSPECTOR), "build");
  const calls: unknown[] = [];
  await using bridge = await openLiveBridge(TOOLS, (params) => {
    calls.push(params["arguments"]);
    return { content: [{ type: "text", text: "High water at 06:42" }] };
  });
  const ask = async (...words: string[]): Promise<Record<string, unknown>> => {
    // It looks for its own package.json from where it is started.
    const args = ["index.js", bridge.command, ...bridge.args, ...words];
    const { code, stdout, stderr } = await run("node", args, inspector, bridge.env);
    assert.equal(code, 0, stderr + stdout);
    const answer: Record<string, unknown> = JSON.parse(stdout);
    return answer;
  };

  const { tools } = await ask("--method", "tools/list") as { tools: Record<string, unknown>[] };
  assert.deepEqual(tools.map(({ name, description }) => [name, description]), [
    ["tide_table", TOOLS[0]?.description],
  ]);
  assert.deepEqual(tools[0]?.["inputSchema"], TOOLS[0]?.inputSchema);

  const call = ["--method", "tools/call", "--tool-name", "tide_table"];
  const good = await ask(...call, "--tool-arg", "place=Petrel Point", "--tool-arg", "days=2");
  assert.deepEqual(good, { content: [{ type: "text", text: "High water at 06:42" }] });
  assert.deepEqual(calls, [{ place: "Petrel Point", days: 2 }]);

  const bad = await ask(...call, "--tool-arg", "days=2");
  assert.equal(bad["isError"], true);
  assert.match(JSON.stringify(bad), /place/);
  assert.equal(calls.length, 1, "what does not fit the schema does not reach the host");
});

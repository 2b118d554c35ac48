/**
 * A turn in which codex calls one tool: a tool of the host, through the plugin, against the same tool
 * in an MCP server that codex starts by itself, as people set it up (Node, official SDK, stdio).
 *
 *     deno run -A scripts/proof/bench/tool.ts [PAIRS]
 */
import { join } from "@std/path";
import { toml } from "../../../base/toml.ts";
import type { ModelRequest } from "../../../tests/support/model/request.ts";
import type { Step } from "../../../tests/support/model/step.ts";
import { report } from "./figures/figure.ts";
import { compare, Contender } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 21);
const TOOL = {
  name: "note",
  description: "Takes a note.",
  inputSchema: { type: "object", properties: { text: { type: "string" } } },
};

/** Calls the tool it is offered, then says what it answered. */
function callsTheTool(request: ModelRequest): Step {
  const last = request.input.findLast((item) => item.type !== "message");
  if (last?.type === "function_call_output" && request.input.at(-1) === last) {
    if (!JSON.stringify(last.output).includes("done")) throw new Error("the tool did not answer");
    return { text: "noted" };
  }
  const offered = request.tools?.find((tool) => tool.name?.startsWith("mcp__"));
  if (!offered?.name) throw new Error("the model was not offered the tool");
  const call = { type: "function_call", namespace: offered.name, name: TOOL.name } as const;
  return { items: [{ ...call, args: { text: "hi" } }] };
}

const server = join(import.meta.dirname ?? "", "turn", "mcp_server.mjs");
const directServer = `
[mcp_servers.direct]
command = "node"
args = ${toml.value([server, JSON.stringify(TOOL)])}
required = true
startup_timeout_sec = 30
default_tools_approval_mode = "approve"
omit_tools_from = ["deferred", "code_mode"]
`;

const fallback = callsTheTool;
const staying = { transport: "app-server", warm: { spare: false } };
await using plugin = await Contender.enter("plugin", { fallback });
await using warm = await Contender.enter("plugin", { fallback, config: staying });
await warm.begin({ tools: [TOOL] });
await using direct = await Contender.enter("node", { fallback, codexToml: directServer });
const name = "codex with a direct Node MCP server";
for (
  const [question, ours, run, goal] of [
    ["first turn with one host tool", plugin, "begin", 0.85],
    ["resumed turn with one host tool", plugin, "resume", 0.85],
    ["warm turn with one host tool", warm, "resume", 0.25],
  ] as const
) {
  const words = { question, name, goal };
  report(await compare(words, PAIRS, () => ours[run]({ tools: [TOOL] }), () => direct[run]()));
}

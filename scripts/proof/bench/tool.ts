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
import { figure, type FigureOf, report } from "./figures/figure.ts";
import { short } from "../../table.ts";
import { median, pairs, ratios } from "../series.ts";
import { Arena } from "./turn/arena.ts";

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

await using arena = await Arena.open({ fallback: callsTheTool });
const plugin = await arena.plugin();
const direct = arena.node("direct", directServer);
const compare = async (
  question: string,
  run: "begin" | "resume",
): Promise<FigureOf> => {
  const { a, b } = await pairs(
    PAIRS,
    async () => (await plugin[run]({ tools: [TOOL] })).ms,
    async () => (await direct[run]()).ms,
  );
  const note = `${short(median(a))} ms to ${short(median(b))} ms`;
  const name = "codex with a direct Node MCP server";
  return { question, name, values: ratios(a, b), goal: 0.85, note };
};
report([figure(await compare("first turn with one host tool", "begin"))]);
report([figure(await compare("resumed turn with one host tool", "resume"))]);

/**
 * Scenarios of a tool of the host: offered to the model, called, answered. What is promised where codex
 * hides such tools. And code mode: a model that does not call codex's tools one by one, but writes
 * JavaScript that does (the models that codex takes by default from 0.144 on).
 */
import { strict as assert } from "node:assert";
import { METHOD, type Tool } from "../../../plugin/protocol.ts";
import type { ScriptedItem } from "../../../tests/support/model/items.ts";
import type { ModelRequest } from "../../../tests/support/model/request.ts";
import type { Play, Scenario } from "./run.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import { resultOf, shell } from "./tools.ts";
import { scriptCall } from "../../../tests/support/model/step.ts";

/** A tool of the host. */
export const TIDE_TABLE: Tool[] = [{
  name: "tide.table",
  description: "Times of the tides at a place.",
  inputSchema: { type: "object", properties: { place: { type: "string" } }, required: ["place"] },
}];

/** What reached the host. */
export interface HostCall {
  name: unknown;
  callId: unknown;
  arguments: unknown;
}

/** The host's side: it knows the tides of one place. */
export function answersTides(lab: Lab): HostCall[] {
  const calls: HostCall[] = [];
  lab.host.onRequest(METHOD.hostToolCall, (params) => {
    const { name, call_id: callId, arguments: args } = params;
    calls.push({ name, callId, arguments: args });
    const known = JSON.stringify(args).includes("Petrel Point");
    const text = known ? "High water at 06:42" : "unknown place";
    return { content: [{ type: "text", text }], isError: !known };
  });
  return calls;
}

/** Whether the model sees the tool at once, as a function. */
function offered(request: ModelRequest | undefined): boolean {
  // Among the request's `tools`; from 0.144 on also in its input, for code-mode models.
  const text = JSON.stringify([request?.tools, request?.input]);
  return /"type":"namespace","name":"mcp__plexum_host"[^]*?"name":"tide_table"/.test(text);
}

/** The model's call of the tool. */
function call(call_id: string, place: string): ScriptedItem {
  const name = "tide_table";
  return { type: "function_call", namespace: "mcp__plexum_host", name, args: { place }, call_id };
}

/**
 * A call that works and one that fails, after whatever is `before` them. Each must be told once, run
 * once, and be known under the same id everywhere. Returns the turn's first request to the model.
 */
export async function callsHost(
  lab: Lab,
  before: ScriptedItem[] = [],
): Promise<{ offered: boolean; statuses: string[] }> {
  const calls = answersTides(lab);
  const { turn, asked } = await lab.succeed("when is high water?", {
    tools: TIDE_TABLE,
    steps: [
      ...before.map((item) => ({ items: [item] })),
      { items: [call("call_h", "Petrel Point")] },
      { items: [call("call_n", "Nowhere")] },
      { text: "at 06:42" },
    ],
  });
  const told = turn.of("tool_call_start").filter(({ source }) => source === "host");
  const name = "tide.table";
  assert.deepEqual(told.map((start) => [start.id, start.name]), [["call_h", name], [
    "call_n",
    name,
  ]]);
  assert.deepEqual(calls, [
    { name, callId: "call_h", arguments: { place: "Petrel Point" } },
    { name, callId: "call_n", arguments: { place: "Nowhere" } },
  ]);
  const [good, bad] = [resultOf(turn, "call_h"), resultOf(turn, "call_n")];
  assert.match(good.output, /High water at 06:42/);
  assert.match(bad.output, /unknown place/);
  assert.deepEqual([good.failed, bad.failed], [false, true], turn.story());
  assert.match(JSON.stringify(asked.at(-1)?.input), /High water at 06:42[^]*unknown place/);
  // That a codex is newer than the plugin knows is no matter of its tools.
  const statuses = turn.of("status").map(({ message }) => message)
    .filter((message) => !/ is newer than /.test(message));
  return { offered: offered(asked[0]), statuses };
}

/** A tool of the host, as a function among the model's tools. */
export const hostTool: Scenario = {
  name: "host-tool",
  promise:
    "a host tool is a plain function to the model; the host runs it under codex's call id, " +
    "and its errors are error results",
  async play(lab) {
    assert.deepEqual(await callsHost(lab), { offered: true, statuses: [] });
  },
};

/** Where codex defers MCP tools, the host is told so, and the model finds the tool by searching. */
export const searchedTool: Play = async (lab) => {
  const search = {
    type: "tool_search_call",
    id: "ts_1",
    call_id: "call_s",
    execution: "client",
    status: "completed",
    arguments: { query: "tide", limit: 5 },
  };
  const { offered, statuses } = await callsHost(lab, [{ type: "raw", item: search }]);
  assert.equal(offered, false);
  assert.match(statuses.join(), /through its tool search only/);
};

/** A script that runs a command. */
async function runsScript(lab: Lab): Promise<void> {
  const input = 'const r = await tools.exec_command({cmd:"echo d$((1+1))n"}); ' +
    'text(r.output); text("two");';
  const { turn } = await lab.succeed("script it", {
    steps: [scriptCall("call_js", input), { text: "done" }],
  });
  const [start] = turn.of("tool_call_start");
  assert.deepEqual([start?.id, start?.name, start?.source], ["call_js", "exec", "codex"]);
  assert.equal(turn.of("tool_call_end")[0]?.arguments, input);
  const { output, failed } = resultOf(turn, "call_js");
  assert.match(output, /d2n[^]*two/);
  assert.equal(failed, false);
}

/** The model writes a script; the host's tools are functions beside it. */
export const codeMode: Scenario = {
  name: "code-mode",
  promise: "a script is a call of `exec`, its outputs are in the result; host tools stay functions",
  lab: { modelName: "gpt-5.6-sol" },
  async play(lab) {
    await runsScript(lab);
    assert.equal((await callsHost(lab)).offered, true);
  },
};

/** Where codex defers MCP tools, a script still reaches them; the host is not told a call id. */
export const scriptedHostTool: Play = async (lab) => {
  await runsScript(lab);
  const calls = answersTides(lab);
  const input = 'text(await tools.mcp__plexum_host__tide_table({place:"Petrel Point"}));';
  const { turn } = await lab.succeed("when is high water?", {
    tools: TIDE_TABLE,
    steps: [scriptCall("call_hs", input), { text: "at 06:42" }],
  });
  const name = "tide.table";
  assert.deepEqual(calls, [{ name, callId: undefined, arguments: { place: "Petrel Point" } }]);
  assert.match(resultOf(turn, "call_hs").output, /High water at 06:42/);
};

/** Where codex has no code mode, the model has its plain tools. */
export const plainTools: Play = async (lab) => {
  await shell.play(lab);
  assert.equal((await callsHost(lab)).offered, true);
};

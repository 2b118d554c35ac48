/**
 * Scenario of code mode: a model that does not call codex's tools one by one, but writes JavaScript
 * that does (the models that codex takes by default from 0.144 on).
 *
 * @module
 */
import { strict as assert } from "node:assert";
import type { ScriptedStep } from "../../../tests/support/model/step.ts";
import { answersTides, callsHost, TIDE_TABLE } from "./host_tools.ts";
import type { Play, Scenario } from "./scenario.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import { resultOf, shell } from "./tools.ts";

/** A call of `exec`, under the name that the request offers it by. */
function script(call_id: string, input: string): ScriptedStep {
  return (request) => {
    const spaced = JSON.stringify(request).includes('"type":"namespace","name":"functions"');
    const namespace = spaced ? { namespace: "functions" } : {};
    return { items: [{ type: "custom_tool_call", name: "exec", ...namespace, input, call_id }] };
  };
}

/** A script that runs a command. */
async function runsScript(lab: Lab): Promise<void> {
  const input = 'const r = await tools.exec_command({cmd:"echo d$((1+1))n"}); ' +
    'text(r.output); text("two");';
  const { turn } = await lab.succeed("script it", {
    steps: [script("call_js", input), { text: "done" }],
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
    steps: [script("call_hs", input), { text: "at 06:42" }],
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

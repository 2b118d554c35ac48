/**
 * Scenarios of what newer models do by themselves: they start agents, and they speak to the user in
 * the middle of a turn.
 */
import { strict as assert } from "node:assert";
import { compareVersions } from "../../../runner/codex/capabilities.ts";
import { METHOD, type StreamResult } from "../../../plugin/protocol.ts";
import type { Turn } from "../../../tests/support/turn.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import type { ScriptedItem } from "../../../tests/support/model/items.ts";
import { callOutput, type ModelRequest, userTexts } from "../../../tests/support/model/request.ts";
import type { Step } from "../../../tests/support/model/step.ts";
import type { Play, Scenario } from "./run.ts";

const tokens = (n: number) => ({ input_tokens: n, cached_tokens: 0, output_tokens: n / 100 });

/** Asks for one call, of codex's own tools or of its agents. */
function call(id: string, name: string, args: Record<string, unknown>, namespace?: string): Step {
  const item: ScriptedItem = {
    type: "function_call",
    name,
    args,
    call_id: id,
    ...(namespace === undefined ? {} : { namespace }),
  };
  return { items: [item] };
}

const COMMAND = call("child", "exec_command", { cmd: "echo a child" });

/** What a family needs of codex: which of its two ways to start agents, and a model that has it. */
export function waysOf(version: string): { old: boolean; model: string } {
  const old = compareVersions(version, "0.144.0") < 0;
  return { old, model: old ? "gpt-5.5" : "gpt-5.6-sol" };
}

/**
 * A parent that starts an agent and waits for it, and the agent, which calls what `child` says. In one thread
 * each family needs a `tag` of its own.
 */
export function family(
  old: boolean,
  forked: boolean,
  child: Step = COMMAND,
  tag = "",
): (request: ModelRequest) => Step {
  const namespace = old ? "multi_agent_v1" : "collaboration";
  const task = `look around${tag}`;
  const [spawn, wait] = [`spawn${tag}`, `wait${tag}`];
  return (request) => {
    const isChild = old
      ? userTexts(request).includes(task)
      : request.input.some(({ recipient }) => recipient === `/root/kid${tag}`);
    if (isChild) {
      return callOutput(request, "child") === undefined
        ? { ...child, usage: tokens(700) }
        : { text: "the child is done", usage: tokens(800) };
    }
    const spawned = callOutput(request, spawn);
    if (spawned === undefined) {
      const how = old
        ? { fork_context: forked }
        : { task_name: `kid${tag}`, fork_turns: forked ? "all" : "none" };
      const step = call(spawn, "spawn_agent", { message: task, ...how }, namespace);
      return { ...step, usage: tokens(1000) };
    }
    if (callOutput(request, wait) === undefined) {
      const whom = old ? { targets: [JSON.parse(spawned).agent_id] } : {};
      const step = call(wait, "wait_agent", { timeout_ms: 20_000, ...whom }, namespace);
      return { ...step, usage: tokens(2000) };
    }
    return { text: "all is done", usage: tokens(3000) };
  };
}

/** Plays a turn whose model starts an agent, with its parent's history or without; nothing is judged. */
async function playsFamily(
  lab: Lab,
  forked: boolean,
  { child, tools }: { child?: Step; tools?: { name: string }[] } = {},
): Promise<{ turn: Turn; end: StreamResult }> {
  const { old, model } = waysOf(lab.version);
  lab.sandbox.model.setSteps([{ answer: family(old, forked, child), repeat: true }]);
  const turn = lab.start("go", {
    model,
    ...(tools ? { tools } : {}),
  });
  const end = await turn.result;
  assert.equal(end.stop_reason, "end_turn", turn.story());
  return { turn, end };
}

/** Plays a turn whose agent calls a tool of the host; the threads of turn and call. */
export async function agentCallsHost(lab: Lab): Promise<{ turn: string; call: unknown }> {
  const threads: unknown[] = [];
  lab.host.onRequest(METHOD.hostToolCall, (params) => {
    threads.push((params as { thread_id?: unknown }).thread_id);
    return { content: [{ type: "text", text: "high at noon" }] };
  });
  const child = call("child", "tides", {}, "mcp__plexum_host");
  const { turn, end } = await playsFamily(lab, false, { child, tools: [{ name: "tides" }] });
  assert.equal(threads.length, 1, turn.story());
  return { turn: end.thread_id, call: threads[0] };
}

/** The same turn as the host sees it when the agent runs a command. */
export async function tellsAgent(lab: Lab, forked: boolean): Promise<void> {
  const { turn, end } = await playsFamily(lab, forked);
  assert.equal(end.usage.input_tokens, 6000, "the turn's own");
  const told = turn.of("status").find(({ message }) => message.includes("sub-agent"));
  const agents = (told?.data as { sub_agents?: unknown[] } | undefined)?.sub_agents ?? [];
  assert.equal(agents.length, 1, turn.story());
  const { thread_id, ...rest } = agents[0] as { thread_id: string };
  assert.notEqual(thread_id, end.thread_id);
  const usage = {
    ...{ input_tokens: 1500, cached_input_tokens: 0 },
    ...{ output_tokens: 15, reasoning_output_tokens: 0 },
  };
  assert.deepEqual(rest, { tool_calls: 1, usage });
}

/** The model starts an agent that does something. */
export const subAgent: Scenario = {
  name: "sub-agent",
  promise:
    "an agent that the model starts is told with its tokens and calls, beside the turn's own",
  play: (lab) => tellsAgent(lab, false),
};

/** Plays a turn in which the model says something before it is done; pieces of text by phase. */
async function speaksBetween(lab: Lab, message: string): Promise<unknown[][]> {
  const newest = compareVersions(lab.version, "0.171.0") >= 0;
  const { turn } = await lab.succeed("go", {
    model: newest ? "gpt-6.2-sol" : "gpt-6-astra",
    steps: [
      {
        items: [{
          type: "function_call",
          namespace: "functions",
          name: "send_message_to_user_async",
          args: { message },
          call_id: "call_1",
        }],
      },
      { text: "done" },
    ],
  });
  return turn.of("text_delta").map(({ text, phase }) => [text, phase]);
}

/** A message that does not end the turn. */
export const asyncMessage: Scenario = {
  name: "async-message",
  promise: "what the model says to the user in the middle of a turn has the phase `async`",
  async play(lab) {
    assert.deepEqual(await speaksBetween(lab, "half way there"), [
      ["half way there", "async"],
      ["\n\ndone", undefined],
    ]);
  },
};

/** Where codex has no such tool, its call is a call that fails, and the turn goes on. */
export const noAsyncMessage: Play = async (lab) => {
  assert.deepEqual(await speaksBetween(lab, "half way there"), [["done", undefined]]);
};

/** Agents that the model starts: their tokens and calls are told beside the turn's own. */
import { strict as assert } from "node:assert";
import { MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import type { ScriptedItem } from "../support/model/items.ts";
import { callOutput, type ModelRequest, userTexts } from "../support/model/request.ts";
import type { Step } from "../support/model/step.ts";
import { asks, openWorld } from "./world.ts";

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

/** A parent that starts an agent and waits for it, and the agent, which runs a command. */
function family(namespace: string, forked: boolean): (request: ModelRequest) => Step {
  const old = namespace === "multi_agent_v1";
  const task = "look around";
  return (request) => {
    const isChild = old
      ? userTexts(request).includes(task)
      : request.input.some(({ recipient }) => recipient === "/root/kid");
    if (isChild) {
      return callOutput(request, "child") === undefined
        ? { ...call("child", "exec_command", { cmd: "echo a child" }), usage: tokens(700) }
        : { text: "the child is done", usage: tokens(800) };
    }
    const spawned = callOutput(request, "spawn");
    if (spawned === undefined) {
      const how = old
        ? { fork_context: forked }
        : { task_name: "kid", fork_turns: forked ? "all" : "none" };
      const step = call("spawn", "spawn_agent", { message: task, ...how }, namespace);
      return { ...step, usage: tokens(1000) };
    }
    if (callOutput(request, "wait") === undefined) {
      const whom = old ? { targets: [JSON.parse(spawned).agent_id] } : {};
      const step = call("wait", "wait_agent", { timeout_ms: 20_000, ...whom }, namespace);
      return { ...step, usage: tokens(2000) };
    }
    return { text: "all is done", usage: tokens(3000) };
  };
}

const CASES = [
  [OLDEST_CODEX, "gpt-5.5", "multi_agent_v1", false],
  [MIDDLE_CODEX, "gpt-5.6-sol", "collaboration", false],
  [NEWEST_CODEX, "gpt-6.1-sol", "collaboration", false],
  [NEWEST_CODEX, "gpt-6.1-sol", "collaboration", true],
] as const;

for (const [version, model, namespace, forked] of CASES) {
  const how = forked ? "sub-agent with its parent's history" : "sub-agent";
  Deno.test(`${how} of codex ${version} is told with its tokens and calls`, async () => {
    await using world = await openWorld(version, {
      steps: [{ answer: family(namespace, forked), repeat: true }],
    });
    const { host, sandbox } = world;
    const turn = host.stream({ ...asks(sandbox.workspace, "go"), model });
    const end = await turn.result;
    assert.equal(end.stop_reason, "end_turn", turn.story());
    assert.equal(end.usage.input_tokens, 6000, "the turn's own");
    const told = turn.of("status").find(({ message }) => message.includes("sub-agent"));
    const agents = (told?.data as { sub_agents?: unknown[] } | undefined)?.sub_agents ?? [];
    assert.equal(agents.length, 1, turn.story());
    const { thread_id, ...rest } = agents[0] as { thread_id: string };
    assert.notEqual(thread_id, end.thread_id);
    const usage = {
      input_tokens: 1500,
      cached_input_tokens: 0,
      output_tokens: 15,
      reasoning_output_tokens: 0,
    };
    assert.deepEqual(rest, { tool_calls: 1, usage });
  });
}

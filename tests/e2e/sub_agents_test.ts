/** Agents that the model starts, beyond what the matrix plays. */
import { strict as assert } from "node:assert";
import { agentCallsHost, tellsAgent } from "../../scripts/proof/matrix/agents.ts";
import { METHOD } from "../../plugin/protocol.ts";
import { MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { callOutput, type ModelRequest, userTexts } from "../support/model/request.ts";
import type { Step } from "../support/model/step.ts";
import { openWorld, STAYING, type World } from "./world.ts";

Deno.test("sub-agent with its parent's history is told with its own tokens and calls", async () => {
  await using world = await openWorld(NEWEST_CODEX);
  await tellsAgent(world, true);
});

for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
  Deno.test(`sub-agent's call of a host tool carries the agent's thread on codex ${version}`, async () => {
    await using world = await openWorld(version);
    const { turn, call } = await agentCallsHost(world);
    assert.match(String(call), /^[0-9a-f-]{36}$/);
    assert.notEqual(call, turn);
  });
}

const call = (call_id: string, name: string, args: unknown, namespace?: string): Step => ({
  items: [{ type: "function_call", name, args, call_id, ...(namespace ? { namespace } : {}) }],
});

/** One codex that goes with its turn, and all that stay. */
const WAYS = [NEWEST_CODEX, ...STAYING];

/**
 * A model that starts an agent which does what `agent` says, whenever it is asked; then the turn waits for
 * it, or ends with what `rest` says. Of later turns it only answers. Returns how often the agent has asked.
 */
function startsAgent(
  world: World,
  agent: () => Step | Promise<Step>,
  rest: () => Step | Promise<Step> = () =>
    call("wait", "wait_agent", { timeout_ms: 60_000 }, "collaboration"),
): () => number {
  let asked = 0;
  const answer = (request: ModelRequest): Step | Promise<Step> => {
    if (request.input.some(({ recipient }) => recipient === "/root/kid")) {
      asked++;
      return agent();
    }
    if (userTexts(request).at(-1) === "later") return { text: "all is quiet" };
    if (callOutput(request, "spawn") !== undefined) return rest();
    const task = { message: "look around", task_name: "kid", fork_turns: "none" };
    return call("spawn", "spawn_agent", task, "collaboration");
  };
  world.sandbox.model.setSteps([{ answer, repeat: true }]);
  return () => asked;
}

/** A number of seconds that nobody else sleeps. */
const SLEEP = 27_183;
const NAP = `setsid -f sleep ${SLEEP}; (setsid env -i sleep ${SLEEP} &); sleep ${SLEEP}`;

async function sleepers({ sandbox }: World): Promise<string[]> {
  return (await sandbox.processes()).map(({ command }) => command)
    .filter((command) => command.includes(`sleep ${SLEEP}`));
}

async function asleep(world: World): Promise<void> {
  while ((await sleepers(world)).length < 2) await new Promise((done) => setTimeout(done, 20));
}

const FREE = { config: { sandbox: "danger-full-access" } };
const SPAWNER = { model: "gpt-5.6-sol" };

for (const way of WAYS) {
  for (const how of ["is cancelled", "ends"]) {
    Deno.test(`nothing of a sub-agent runs any more when its turn ${how}, on codex ${way}`, async () => {
      await using world = await openWorld(way, FREE);
      const napping = call("nap", "exec_command", { cmd: NAP, yield_time_ms: 60_000 });
      const asked = how === "ends"
        ? startsAgent(world, () => napping, async () => {
          await asleep(world);
          return { text: "done" };
        })
        : startsAgent(world, () => napping);
      const turn = world.start("go", SPAWNER);
      if (how !== "ends") {
        await asleep(world);
        await turn.cancel();
      }
      const { stop_reason } = await turn.end();
      assert.deepEqual(await sleepers(world), []);
      assert.equal(stop_reason, how === "ends" ? "end_turn" : "cancelled", turn.story());
      assert.equal(asked(), 1);
      const told = turn.of("status").find(({ message }) => message.includes("sub-agent"));
      assert.ok(told !== undefined, "its tokens are told");
      const later = await world.start("later", SPAWNER).result;
      assert.deepEqual([later.thread_id, asked()], [(await turn.end()).thread_id, 1]);
    });
  }

  Deno.test(`what the model answers a sub-agent after its turn reaches nobody, on codex ${way}`, async () => {
    await using world = await openWorld(way, FREE);
    const [waits, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const asked = startsAgent(
      world,
      async () => {
        waits.resolve();
        await gate.promise;
        return call("late", "exec_command", { cmd: "echo > late.txt" });
      },
      async () => {
        await waits.promise;
        return { text: "done" };
      },
    );
    const turn = world.start("go", SPAWNER);
    assert.equal((await turn.end()).stop_reason, "end_turn");
    gate.resolve();
    await world.start("later", SPAWNER).result;
    assert.equal(asked(), 1);
    assert.ok(
      ![...Deno.readDirSync(world.sandbox.workspace)].some(({ name }) => name === "late.txt"),
    );
  });

  Deno.test(`a sub-agent's call of a host tool is dropped when its turn is cancelled, on codex ${way}`, async () => {
    await using world = await openWorld(way, FREE);
    const called = Promise.withResolvers<void>();
    const dropped: unknown[] = [];
    world.host.onRequest(METHOD.hostToolCall, (_, signal) => {
      called.resolve();
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          dropped.push(turn.seen.at(-1)?.type);
          reject(new Error("dropped"));
        })
      );
    });
    const asked = startsAgent(world, () => call("tides", "tides", {}, "mcp__plexum_host"));
    const tools = [{ name: "tides" }];
    const turn = world.start("go", { ...SPAWNER, tools });
    await called.promise;
    await turn.cancel();
    assert.equal((await turn.end()).stop_reason, "cancelled", turn.story());
    assert.equal(dropped.length, 1);
    assert.notEqual(dropped[0], "message_end");
    await world.start("later", { ...SPAWNER, tools }).result;
    assert.equal(asked(), 1);
  });
}

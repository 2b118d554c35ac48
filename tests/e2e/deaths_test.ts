/** Who dies in the middle of a turn, and what is left: nothing, and a thread that goes on. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { SERVER_NAME } from "../../mcp_host/registration.ts";
import { startHost } from "../support/host.ts";
import { command } from "../support/model/items.ts";
import { callOutput } from "../support/model/request.ts";
import type { ScriptedStep } from "../support/model/step.ts";
import type { Process } from "../support/processes.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { asks, EVERY_WAY, openWorld, strangers } from "./world.ts";

/** A command, and a daemon of its that outlives whoever ends codex. */
const sleeps: ScriptedStep = {
  items: [command(
    "setsid sleep 7654 >/dev/null 2>&1 & touch started; sleep 7654",
    "call_sleep",
    { yield_time_ms: 30_000 },
  )],
};

/** Resolves when the command of `sleeps` runs; its processes. */
async function asleep(sandbox: Sandbox): Promise<Process[]> {
  for (;;) {
    const sleepers = (await sandbox.processes()).filter(({ command }) =>
      command.includes("sleep 7654")
    );
    const started = await Deno.lstat(join(sandbox.workspace, "started")).then(
      () => true,
      () => false,
    );
    if (started && sleepers.length > 0) return sleepers;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function gone(sandbox: Sandbox, pid: number): Promise<void> {
  while ((await sandbox.processes()).some((process) => process.pid === pid)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const config = { sandbox: "danger-full-access" };

for (const version of EVERY_WAY) {
  Deno.test(`plugin killed during a turn on codex ${version}: its next start ends what was left`, async () => {
    await using world = await openWorld(version, { steps: [sleeps], config });
    const { host, sandbox } = world;
    const turn = host.stream(asks(sandbox.workspace, "sleep"));
    const { thread_id } = await turn.until("message_start");
    await asleep(sandbox);
    host.kill("SIGKILL");
    await host.exit;
    assert.ok(
      (await sandbox.processes()).length > 0,
      "the daemon lives on: there is something to end",
    );

    await using next = await startHost({ env: sandbox.env });
    await next.initialize();
    const again = next.stream(asks(sandbox.workspace, "and now?"));
    const end = await again.result;
    assert.deepEqual([end.stop_reason, end.thread_id], ["end_turn", thread_id]);
    assert.deepEqual(await strangers(sandbox, next), []);
    const notice = next.logs.find(({ data }) =>
      /plugin that was killed/.test(JSON.stringify(data))
    );
    assert.ok(notice, JSON.stringify(next.logs));
  });

  Deno.test(`plugin asked to terminate during a turn on codex ${version} leaves nothing`, async () => {
    await using world = await openWorld(version, { steps: [sleeps], config });
    const { host, sandbox } = world;
    const turn = host.stream(asks(sandbox.workspace, "sleep"));
    await asleep(sandbox);
    host.kill("SIGTERM");
    assert.deepEqual(await host.exit, { code: 0, signal: null });
    assert.deepEqual(await sandbox.processes(), []);
    assert.equal((await turn.end()).stop_reason, "cancelled");
  });

  Deno.test(`codex ${version} killed from outside is a crash; its children go, its thread stays`, async () => {
    await using world = await openWorld(version, { steps: [sleeps], config });
    const { host, sandbox } = world;
    const turn = host.stream(asks(sandbox.workspace, "sleep"));
    await asleep(sandbox);
    const codex = (await sandbox.processes()).find(({ ppid }) => ppid === host.pid);
    assert.ok(codex);
    Deno.kill(codex.pid, "SIGKILL");
    const { stop_reason, thread_id } = await turn.result;
    assert.equal(stop_reason, "error");
    const [failure] = turn.of("error");
    assert.deepEqual([failure?.error.kind, failure?.error.signal], ["crashed", "SIGKILL"]);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(failure?.error.message ?? "", /bubblewrap|\x1b/, "nothing of its start");
    const result = turn.of("tool_result")[0];
    assert.deepEqual([result?.id, result?.output, result?.is_error], [
      "call_sleep",
      "aborted",
      true,
    ]);
    assert.deepEqual(await strangers(sandbox, host), []);
    const next = host.stream(asks(sandbox.workspace, "and now?"));
    assert.equal((await next.result).thread_id, thread_id);
    const seen = callOutput(sandbox.model.asked.at(-1) ?? assert.fail(), "call_sleep");
    assert.equal(seen, "aborted", "the model reads what the host was told");
  });

  Deno.test(`cancelled command on codex ${version} is told as the model will read it`, async () => {
    await using world = await openWorld(version, { steps: [sleeps], config });
    const { host, sandbox } = world;
    const turn = host.stream(asks(sandbox.workspace, "sleep"));
    const [sleeper] = await asleep(sandbox);
    await turn.cancel();
    const { stop_reason, thread_id } = await turn.end();
    assert.equal(stop_reason, "cancelled");
    assert.deepEqual(await strangers(sandbox, host), []);
    assert.ok(sleeper);
    await gone(sandbox, sleeper.pid);
    const next = host.stream(asks(sandbox.workspace, "and now?"));
    assert.equal((await next.result).thread_id, thread_id);
    const seen = callOutput(sandbox.model.asked.at(-1) ?? assert.fail(), "call_sleep");
    assert.equal(turn.of("tool_result")[0]?.output, seen);
  });

  Deno.test(`mcp-host killed during a call on codex ${version}: the turn goes on, the next has tools`, async () => {
    const call: ScriptedStep = {
      items: [{
        type: "function_call",
        namespace: `mcp__${SERVER_NAME}`,
        name: "search",
        args: { q: "x" },
        call_id: "call_1",
      }],
    };
    const second = structuredClone(call);
    const [item] = second.items ?? [];
    if (item && "call_id" in item) item.call_id = "call_2";
    await using world = await openWorld(version, {
      steps: [call, { text: "went on" }, second, { text: "found" }],
    });
    const { host, sandbox } = world;
    const tools = [{ name: "search", description: "finds", inputSchema: { type: "object" } }];
    let calls = 0;
    host.onRequest("plexum/host/tool/call", async () => {
      if (calls++ === 0) {
        const relay = (await sandbox.processes()).find(({ command }) =>
          / mcp-host\b/.test(command)
        );
        assert.ok(relay);
        Deno.kill(relay.pid, "SIGKILL");
        await gone(sandbox, relay.pid);
      }
      return { content: [{ type: "text", text: "a result" }] };
    });
    const turn = host.stream(asks(sandbox.workspace, "search", { tools }));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    assert.equal(turn.text, "went on");
    assert.match(JSON.stringify(turn.of("tool_result")[0]?.output), /closed|Transport/i);
    const next = host.stream(asks(sandbox.workspace, "search again", { tools }));
    assert.equal((await next.result).stop_reason, "end_turn");
    assert.match(JSON.stringify(next.of("tool_result")[0]?.output), /a result/);
    assert.equal(calls, 2);
  });
}

for (const version of EVERY_WAY) {
  Deno.test(`turn cancelled as soon as codex ${version} announced its thread is ended by codex itself`, async () => {
    // Longer than any test waits: a codex that has to be killed fails it.
    const config = { timeouts: { grace_ms: 600_000 } };
    await using world = await openWorld(version, { fallback: { hang: true }, config });
    const { host, sandbox } = world;
    for (let n = 0; n < 5; n++) {
      const turn = host.stream(asks(sandbox.workspace, "hello"));
      await turn.until("message_start");
      await turn.cancel();
      assert.equal((await turn.end()).stop_reason, "cancelled");
      assert.deepEqual(await strangers(sandbox, host), []);
    }
  });
}

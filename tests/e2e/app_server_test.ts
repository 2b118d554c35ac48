/**
 * Turns by a codex that stays: reference host, compiled plugin, real codex, scripted model. What a host
 * sees is the same as with `codex exec`; here is what differs, and that it holds together.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { METHOD } from "../../plugin/protocol.ts";
import { run } from "../plugin/operator/command_line.ts";
import { command } from "../support/model/items.ts";
import { codexBinary, STAYING_CODEX } from "../support/codex.ts";
import { within } from "../support/deadline.ts";
import { type Host, startHost } from "../support/host.ts";
import { callOutput, type ModelRequest } from "../support/model/request.ts";
import type { ScriptedStep } from "../support/model/step.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "../support/sandbox.ts";
import { codexByHand, resumeArgs } from "../support/codex_run.ts";
import { asks } from "./world.ts";

/** A host, and what is needed to look behind it. */
interface Stage extends AsyncDisposable {
  sandbox: Sandbox;
  host: Host;
  /** The app-servers that live now. */
  servers(): Promise<number[]>;
}

async function stage(
  version: string,
  options: Omit<SandboxOptions, "binary"> = {},
): Promise<Stage> {
  const { native } = await codexBinary(version);
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(
    await openSandbox({
      binary: native,
      ...options,
      config: { transport: "app-server", warm: { spare: false }, ...options.config },
    }),
  );
  const host = stack.use(await startHost({ env: sandbox.env }));
  await host.initialize();
  const all = stack.move();
  return {
    sandbox,
    host,
    servers: async () =>
      (await sandbox.processes()).filter(({ command }) => / app-server /.test(command))
        .map(({ pid }) => pid),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const calls = (name: string, args: unknown, call_id: string, namespace?: string): ScriptedStep => ({
  items: [{
    type: "function_call",
    name,
    args,
    call_id,
    ...(namespace === undefined ? {} : { namespace }),
  }],
});

const shell = (cmd: string, id: string): ScriptedStep => ({ items: [command(cmd, id)] });

const ECHO = {
  name: "echo",
  description: "Says it again.",
  input_schema: { type: "object", properties: { text: { type: "string" } } },
};

/** How many sockets below a folder are open now: those that are listened on, and their connections. */
function connectionsIn(folder: string): number {
  const table = Deno.readTextFileSync("/proc/net/unix").split("\n");
  return table.filter((line) => line.includes(` ${folder}/`)).length;
}

/** What of a request's input is not the same in both; texts as JSON. */
function differences(one: ModelRequest, two: ModelRequest): [string, string][] {
  return one.input.flatMap((item, n): [string, string][] => {
    const [a, b] = [JSON.stringify(item), JSON.stringify(two.input[n])];
    return a === b ? [] : [[a, b]];
  });
}

for (const version of STAYING_CODEX) {
  Deno.test(`warm codex ${version} runs turn after turn in one process, which ends with the plugin`, async () => {
    await using world = await stage(version, {
      steps: [shell("echo hi", "call_1"), { text: "said" }, { text: "again" }],
    });
    const { host, sandbox } = world;
    const first = host.stream(asks(sandbox.workspace, "look"));
    const { thread_id } = await first.result;
    assert.equal(first.text, "said");
    assert.match(String(first.of("tool_result")[0]?.output), /\bhi\b/);
    const before = await world.servers();
    assert.equal(before.length, 1);
    const second = host.stream(asks(sandbox.workspace, "go on"));
    assert.equal((await second.result).thread_id, thread_id);
    assert.equal(second.text, "again");
    assert.equal(second.of("message_start")[0]?.resumed, true);
    assert.deepEqual(await world.servers(), before);
  });

  Deno.test(`codex ${version} stays where nothing is configured`, async () => {
    await using world = await stage(version, {
      steps: [{ text: "one" }],
      config: { transport: undefined, warm: { spare: true } },
    });
    await world.host.stream(asks(world.sandbox.workspace, "hello")).result;
    const both = async (): Promise<void> => {
      while ((await world.servers()).length < 2) await new Promise((next) => setTimeout(next, 20));
    };
    await within(both(), "the server and a spare");
    const { stdout } = await run(["stats"], { env: world.sandbox.env });
    assert.match(stdout, /^warm +\d now .*; turns: 1 (?:on a spare|after a start)$/m);
  });

  Deno.test(`warm codex ${version} is seen with its memory, and gives its thread to a person who asks`, async () => {
    await using world = await stage(version, {
      steps: [{ text: "mine" }, { text: "theirs" }, { text: "back" }],
    });
    const { host, sandbox } = world;
    const { env, workspace } = sandbox;
    const { thread_id } = await host.stream(asks(workspace, "hello")).result;
    assert.match(
      (await run(["stats"], { env })).stdout,
      /^warm +1 now \([1-9]\d* MB in memory, \d+(?:\.\d)? MB of it their own\); turns: 1 after a start$/m,
    );
    const resume = () => codexByHand(sandbox, resumeArgs(thread_id), "by hand");
    const refused = await resume();
    assert.notEqual(refused.code, 0, "only one codex may have it");
    const released = await run(["sessions", "release", thread_id], { env });
    assert.deepEqual([released.code, released.stderr], [0, ""]);
    assert.match(released.stdout, /^The plugin has let go of thread/);
    assert.equal((await resume()).code, 0);
    await host.stream(asks(workspace, "again")).result;
    assert.equal((await world.servers()).length, 1);
  });

  Deno.test(`warm codex ${version} takes an operator's consume, which had to wait, with its next turn`, async () => {
    const sees = (request: ModelRequest) => ({ text: String(callOutput(request, "call_1")) });
    await using world = await stage(version, {
      steps: [shell("seq 1 300", "call_1"), { text: "done" }, sees],
    });
    const { host, sandbox } = world;
    const { thread_id } = await host.stream(asks(sandbox.workspace, "look")).result;
    const { stdout } = await run(["sessions", "consume", thread_id, "call_1"], {
      env: sandbox.env,
    });
    assert.match(stdout, /^1 wait until codex is done with the thread/m);
    const before = await world.servers();
    const next = host.stream(asks(sandbox.workspace, "and now?"));
    await next.result;
    assert.equal(next.text, "...(consumed)");
    assert.deepEqual(await world.servers(), before);
  });

  Deno.test(`warm codex ${version} tells text and thoughts while the model writes them`, async () => {
    const hold = Promise.withResolvers<void>();
    const thoughts = ["**Thinking** of an answer", "**Finding** one"];
    const text = "An answer that is long enough to come in more than one piece.";
    await using world = await stage(version, {
      steps: [{
        items: [{ type: "reasoning", summary: thoughts }, { type: "message", text }],
        // Many more pieces than are asked for: on a busy machine the record of the whole may come first.
        chunk: 2,
        chunkDelayMs: 20,
        hold: hold.promise,
      }],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "go"));
    await turn.until("text_delta");
    hold.resolve();
    assert.equal((await turn.result).stop_reason, "end_turn");
    const texts = turn.of("text_delta");
    assert.ok(texts.length > 5);
    assert.deepEqual(new Set(texts.map(({ index }) => index)), new Set([0]));
    assert.equal(turn.text, text);
    const thought = turn.of("thinking_delta").map((event) => event.text);
    assert.ok(thought.length > 3);
    assert.equal(thought.join(""), thoughts.join("\n"));
  });

  Deno.test(`warm codex ${version} takes back what a broken stream had told, and goes on under a new index`, async () => {
    await using world = await stage(version, {
      steps: [{ text: "partial text that is cut", chunk: 5, cutAfterEvents: 6 }, {
        text: "the whole answer",
        chunk: 5,
      }],
      config: { extra_args: ["-c", "model_providers.scripted.stream_max_retries=2"] },
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "go"));
    assert.equal((await turn.result).stop_reason, "end_turn");
    assert.deepEqual(turn.of("text_retracted").map(({ index }) => index), [0]);
    const last = turn.of("text_delta").filter(({ index }) => index === 1);
    assert.equal(last.map(({ text }) => text).join("").trim(), "the whole answer");
    assert.ok(turn.of("status").some(({ message }) => /Reconnecting/.test(message)));
  });

  Deno.test(`warm codex ${version} keeps its relay from turn to turn, and gets another one with other tools`, async () => {
    await using world = await stage(version, {
      steps: [
        calls("echo", { text: "one" }, "call_1", "mcp__plexum_host"),
        (request) => ({ text: callOutput(request, "call_1") ?? "" }),
        calls("echo", { text: "two" }, "call_2", "mcp__plexum_host"),
        (request) => ({ text: callOutput(request, "call_2") ?? "" }),
        calls("shout", { text: "three" }, "call_3", "mcp__plexum_host"),
        (request) => ({ text: callOutput(request, "call_3") ?? "" }),
        { text: "no tools" },
      ],
    });
    const { host, sandbox } = world;
    const called: string[] = [];
    host.onRequest(METHOD.hostToolCall, (params) => {
      const said = JSON.stringify(params);
      called.push(/"call_id":"(call_\d)"/.exec(said)?.[1] ?? said);
      return { content: [{ type: "text", text: `host says ${called.length}` }] };
    });
    const relays = async () =>
      (await sandbox.processes()).filter(({ command }) => / mcp-host\b/.test(command))
        .map(({ pid }) => pid);
    const ask = async (text: string, ...names: string[]) => {
      const tools = names.map((name) => ({ ...ECHO, name }));
      const turn = host.stream(asks(sandbox.workspace, text, { tools }));
      assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      return turn.text;
    };
    assert.match(await ask("one", "echo"), /host says 1/);
    const one = await relays();
    assert.equal(one.length, 1);
    assert.match(await ask("two", "echo"), /host says 2/);
    assert.deepEqual(await relays(), one);
    Deno.kill(one[0] ?? 0, "SIGKILL");
    assert.match(await ask("three", "echo", "shout"), /host says 3/);
    assert.deepEqual(called, ["call_1", "call_2", "call_3"]);
    assert.equal(await ask("four"), "no tools");
    assert.deepEqual(await relays(), []);
    assert.equal((await world.servers()).length, 1);
  });

  Deno.test(`warm codex ${version} gets a relay again when its relay has died`, async () => {
    await using world = await stage(version, {
      steps: [
        { text: "one" },
        calls("echo", { text: "two" }, "call_2", "mcp__plexum_host"),
        (request) => ({ text: callOutput(request, "call_2") ?? "" }),
      ],
    });
    const { host, sandbox } = world;
    host.onRequest(
      METHOD.hostToolCall,
      () => ({ content: [{ type: "text", text: "host says so" }] }),
    );
    const tools = [ECHO];
    await host.stream(asks(sandbox.workspace, "one", { tools })).result;
    const relay = (await sandbox.processes()).find(({ command }) => / mcp-host\b/.test(command));
    Deno.kill(relay?.pid ?? 0, "SIGKILL");
    // Until the plugin has seen the end of its connection: only the socket it listens on is left.
    while (connectionsIn(sandbox.runtime) > 1) await host.request("ping");
    const turn = host.stream(asks(sandbox.workspace, "two", { tools }));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    assert.match(turn.text, /host says so/);
  });

  Deno.test(`a consume on warm codex ${version} changes the next request by exactly what was consumed, twice in a row`, async () => {
    await using world = await stage(version, {
      steps: [
        shell("echo the first long output", "call_1"),
        shell("echo the second long output", "call_2"),
        { text: "done" },
        { text: "a" },
        { text: "b" },
        { text: "c" },
      ],
    });
    const { host, sandbox } = world;
    const { model, workspace } = sandbox;
    await host.stream(asks(workspace, "look")).result;
    const before = await world.servers();
    await host.stream(asks(workspace, "go on")).result;
    for (const [n, id] of ["call_1", "call_2"].entries()) {
      const answer = await host.request("plexum/session/mutate", {
        agent_id: "cx",
        workspace,
        mutations: [{ block_id: id, op: "consume-light" }],
      });
      assert.deepEqual(answer, { requested: 1, touched: 1, deferred: 0, skipped: [] });
      const turn = host.stream(asks(workspace, `go on ${n}`));
      assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      const [earlier, later] = [model.asked[3 + n], model.asked[4 + n]];
      assert.ok(earlier && later);
      const changed = differences(earlier, later);
      assert.equal(changed.length, 1, JSON.stringify(changed));
      assert.match(changed[0]?.[0] ?? "", new RegExp(`${id}.*long output|long output.*${id}`));
      assert.match(changed[0]?.[1] ?? "", new RegExp(id));
      assert.doesNotMatch(changed[0]?.[1] ?? "", /long output/);
    }
    assert.deepEqual(await world.servers(), before, "no other process was needed");
  });

  Deno.test(`a consume that comes during a turn of warm codex ${version} is done at its end`, async () => {
    const hold = Promise.withResolvers<void>();
    await using world = await stage(version, {
      steps: [
        shell("echo the first long output", "call_1"),
        { text: "done" },
        { text: "slow", hold: hold.promise },
        { text: "next" },
      ],
    });
    const { host, sandbox } = world;
    const { model, workspace } = sandbox;
    await host.stream(asks(workspace, "look")).result;
    const slow = host.stream(asks(workspace, "go on"));
    await model.received(3);
    const answer = await host.request("plexum/session/mutate", {
      agent_id: "cx",
      workspace,
      mutations: [{ block_id: "call_1", op: "consume-light" }],
    });
    assert.deepEqual(answer, { requested: 1, touched: 0, deferred: 1, skipped: [] });
    hold.resolve();
    await slow.result;
    await host.stream(asks(workspace, "and now")).result;
    assert.doesNotMatch(callOutput(model.asked[3] ?? fail(), "call_1") ?? "", /long output/);
    assert.match(callOutput(model.asked[2] ?? fail(), "call_1") ?? "", /long output/);
  });

  Deno.test(`a cancelled turn of warm codex ${version} leaves nothing, and the next one runs in the same process`, async () => {
    await using world = await stage(version, {
      steps: [
        { text: "one" },
        calls("exec_command", { cmd: "sleep 1000 & setsid sleep 1000 & sleep 1000" }, "call_1"),
        { text: "after" },
      ],
      config: { sandbox: "danger-full-access" },
    });
    const { host, sandbox } = world;
    await host.stream(asks(sandbox.workspace, "one")).result;
    const before = await world.servers();
    const sleepers = async () =>
      (await sandbox.processes()).filter(({ command }) => command.startsWith("sleep 1000"));
    const turn = host.stream(asks(sandbox.workspace, "two"));
    await turn.until("tool_call_end");
    while ((await sleepers()).length < 3);
    await turn.cancel();
    assert.equal((await turn.end()).stop_reason, "cancelled");
    assert.deepEqual(await sleepers(), []);
    const next = host.stream(asks(sandbox.workspace, "three"));
    assert.equal((await next.result).stop_reason, "end_turn", next.story());
    assert.deepEqual(await world.servers(), before);
  });

  Deno.test(`a warm codex ${version} ends when its plugin is killed`, async () => {
    await using world = await stage(version);
    await world.host.stream(asks(world.sandbox.workspace, "one")).result;
    assert.equal((await world.servers()).length, 1);
    world.host.kill();
    while ((await world.servers()).length > 0);
  });

  Deno.test(`a thread moves between exec and warm codex ${version}, and is a person's in between`, async () => {
    await using world = await stage(version);
    const { host, sandbox } = world;
    const ask = async (text: string) => {
      const turn = host.stream(asks(sandbox.workspace, text));
      const { stop_reason, thread_id } = await turn.result;
      assert.equal(stop_reason, "end_turn", turn.story());
      return thread_id;
    };
    const base = { warm: { spare: false } };
    const thread = await ask("word-1");
    for (const [n, transport] of ["exec", "app-server", "exec", "auto"].entries()) {
      await sandbox.configure({ ...base, transport });
      assert.equal(await ask(`word-${n + 2}`), thread);
    }
    await sandbox.configure({ transport: "app-server", warm: { idle_ms: 0 } });
    assert.equal(await ask("word-6"), thread);
    assert.deepEqual(await world.servers(), [], "nothing is kept");
    const person = await codexByHand(sandbox, resumeArgs(thread), "word-7");
    assert.equal(person.code, 0, person.stderr);
    assert.equal(await ask("word-8"), thread);
    const told = JSON.stringify(sandbox.model.asked.at(-1)?.input);
    for (let n = 1; n <= 8; n++) assert.ok(told.includes(`word-${n}`), `word-${n} is remembered`);
  });
}

const ignore = STAYING_CODEX.length === 0;

Deno.test("a thread moves between the versions of a warm codex, and back", { ignore }, async () => {
  const [oldest = "", between = "", newest = ""] = STAYING_CODEX;
  await using world = await stage(oldest);
  const { host, sandbox } = world;
  let thread: string | undefined;
  for (const version of [oldest, newest, between, oldest, newest]) {
    const { native } = await codexBinary(version);
    await sandbox.configure({ binary: native });
    const turn = host.stream(asks(sandbox.workspace, `on ${version}`));
    const { thread_id, stop_reason } = await turn.result;
    assert.equal(stop_reason, "end_turn", turn.story());
    assert.equal(thread_id, thread ??= thread_id);
  }
  const told = JSON.stringify(sandbox.model.asked.at(-1)?.input);
  for (const version of STAYING_CODEX) {
    assert.ok(told.includes(`on ${version}`));
  }
});

Deno.test("a codex whose app-server is of no use runs by exec, and the host is told once", {
  ignore,
}, async () => {
  const { native } = await codexBinary("0.169.0");
  await using world = await stage("0.169.0");
  const { host, sandbox } = world;
  const wrapper = join(sandbox.root, "codex-without");
  await Deno.writeTextFile(
    wrapper,
    `#!/bin/sh\n[ "$1" = app-server ] && { echo "Error: not today" >&2; exit 1; }\nexec '${native}' "$@"\n`,
  );
  await Deno.chmod(wrapper, 0o755);
  await sandbox.configure({ binary: wrapper });
  const statuses: string[] = [];
  for (const text of ["one", "two"]) {
    const turn = host.stream(asks(sandbox.workspace, text));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    statuses.push(...turn.of("status").map(({ message }) => message));
  }
  assert.equal(statuses.length, 1, statuses.join("\n"));
  assert.match(statuses[0] ?? "", /not today.*codex exec/);
});

function fail(): never {
  throw new Error("the model was not asked");
}

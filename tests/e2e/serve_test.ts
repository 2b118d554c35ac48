/**
 * The plugin as a process: what is on its stdout, how it ends, and what it does when its host
 * behaves badly. Turns are those of a fake codex that hangs, so that they last until something ends
 * them.
 */
import { strict as assert } from "node:assert";
import { LineSplitter } from "../../base/lines.ts";
import { executable } from "../support/checkout.ts";
import { within } from "../support/deadline.ts";
import { began, fakeCodex, plainTurn, type Scenario } from "../support/fake_codex.ts";
import { type Host, startHost } from "../support/host.ts";
import type { RpcError } from "../support/rpc_error.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { skipped } from "../support/skipped.ts";

const HANGS: Scenario = { acts: [began(), { mark: "began" }, { hang: true }] };

/** A sandbox whose codex plays the scenario. */
async function withCodex(scenario: Scenario, config = {}): Promise<Sandbox> {
  const sandbox = await openSandbox({ binary: "codex", config });
  const { path } = await fakeCodex(sandbox.root, scenario);
  await sandbox.configure({ binary: path });
  return sandbox;
}

function asks(sandbox: Sandbox, text = "hello"): Record<string, unknown> {
  return {
    agent: { agent_id: "cx", workspace: sandbox.workspace },
    request: { messages: [{ role: "user", content: text }] },
  };
}

/** The plugin with bare pipes, for hosts that do not read or that hang up. */
class Pipes implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stderr: Promise<string>;

  constructor(command: string, args: string[], env: Record<string, string>) {
    this.child = new Deno.Command(command, {
      args,
      env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.child.stdin.getWriter();
    this.#stderr = new Response(this.child.stderr).text();
  }

  static async start(env: Record<string, string>): Promise<Pipes> {
    const { command, args } = await executable();
    return new Pipes(command, args, env);
  }

  async send(frame: Record<string, unknown>): Promise<void> {
    const line = JSON.stringify({ jsonrpc: "2.0", ...frame }) + "\n";
    await this.#input.write(new TextEncoder().encode(line));
  }

  /** Ends the plugin's stdin; nothing more can be sent. */
  async closeStdin(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /** The frames on stdout until `enough`, then the pipe is closed unless `keep` is given. */
  async *frames(): AsyncGenerator<Record<string, unknown>> {
    const lines = new LineSplitter(1 << 24);
    for await (const chunk of this.child.stdout) {
      for (const line of lines.push(chunk)) {
        assert.ok(line.overlong === undefined);
        const frame: Record<string, unknown> = JSON.parse(new TextDecoder().decode(line.bytes));
        yield frame;
      }
    }
  }

  async ended(): Promise<Deno.CommandStatus> {
    return await within(this.child.status, "the end of the plugin");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeStdin();
    const { code } = await this.ended();
    const stderr = await this.#stderr;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    if (!this.child.stdout.locked) await this.child.stdout.cancel().catch(() => {});
  }
}

/** A turn that runs and one that waits behind it. */
async function twoTurns(host: Host, sandbox: Sandbox) {
  await host.initialize();
  const running = host.stream(asks(sandbox));
  await running.until("message_start");
  return { running, waiting: host.stream(asks(sandbox)) };
}

/** `nohup deno task test`: then the plugin's host is one that outlives its terminal. */
const outlives = /^SigIgn:\s*[0-9a-f]*[13579bdf]$/m.test(
  Deno.readTextFileSync("/proc/self/status"),
);
const HANGUP = skipped(outlives, "SIGHUP: it is ignored here") ? [] : ["SIGHUP"] as const;

for (const how of ["SIGTERM", "SIGINT", "EOF", ...HANGUP] as const) {
  Deno.test(`plugin ends in order on ${how}, with what runs and what waits`, async () => {
    await using sandbox = await withCodex(HANGS);
    await using host = await startHost({ env: sandbox.env });
    const { running, waiting } = await twoTurns(host, sandbox);
    // Answered after the turn was taken in: only then is it sure to wait.
    await host.request("ping");
    if (how === "EOF") await host.closeStdin();
    else host.kill(how);
    const [ended, stillborn] = [await running.end(), await waiting.end()];
    assert.equal(ended.stop_reason, "cancelled");
    assert.deepEqual(waiting.seen, [stillborn], "a turn that never began has its end only");
    assert.equal(stillborn.thread_id, ended.thread_id);
    assert.deepEqual(await host.exit, { code: 0, signal: null });
    assert.deepEqual(await sandbox.processes(), []);
  });
}

Deno.test("turn that is cancelled before it has a thread ends with one event and no response", async () => {
  await using sandbox = await withCodex(HANGS);
  const codex = await fakeCodex(sandbox.root, { acts: [{ mark: "up" }, { hang: true }] });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turn = host.stream(asks(sandbox));
  await codex.reached("up");
  await turn.cancel();
  const { stop_reason, thread_id } = await turn.end();
  assert.deepEqual([turn.seen.length, stop_reason, thread_id], [1, "cancelled", ""]);
  await codex.play({ acts: plainTurn("and now?") });
  assert.equal((await host.stream(asks(sandbox)).result).stop_reason, "end_turn");
});

Deno.test("turn whose codex ends before it has a thread is an error without events", async () => {
  await using sandbox = await withCodex({
    acts: [{ stderr: "Error: loading config\n" }, { exit: 1 }],
  }, { retries: 0 });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turn = host.stream(asks(sandbox));
  await assert.rejects(turn.result, (error: RpcError) => {
    assert.equal(error.code, -32000);
    assert.match(error.message, /^codex: .*loading config/);
    return true;
  });
  assert.deepEqual(turn.seen, []);
});

Deno.test("plugin without work ends on EOF before any handshake, and on a signal", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  {
    await using host = await startHost({ env: sandbox.env });
    await host.closeStdin();
    assert.deepEqual(await host.exit, { code: 0, signal: null });
  }
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  host.kill("SIGTERM");
  assert.deepEqual(await host.exit, { code: 0, signal: null });
});

Deno.test("plugin of a host that outlives its terminal goes on after SIGHUP", async () => {
  await using sandbox = await withCodex({ acts: plainTurn("ok") });
  const { command, args } = await executable();
  await using host = await startHost({
    env: sandbox.env,
    command: { command: "/bin/sh", args: ["-c", `trap '' HUP; "$0" "$@"; exit`, command, ...args] },
  });
  await host.initialize();
  const plugin = (await sandbox.processes()).find(({ ppid }) => ppid === host.pid);
  assert.ok(plugin);
  Deno.kill(plugin.pid, "SIGHUP");
  for (let n = 0; n < 3; n++) {
    assert.equal((await host.stream(asks(sandbox)).result).stop_reason, "end_turn");
  }
  await host.closeStdin();
  assert.deepEqual(await host.exit, { code: 0, signal: null });
});

Deno.test("plugin keeps its stdout for frames, whatever codex prints", async () => {
  const noise = { stderr: "warning: \u2028 no frame\n" };
  await using sandbox = await withCodex({
    acts: [noise, { print: "no json\n" }, ...plainTurn("ok"), noise],
  }, { log_level: "debug", unheard_of: 1 });
  // The reference host fails on the first line that is no frame.
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turn = host.stream(asks(sandbox));
  assert.equal((await turn.result).stop_reason, "end_turn");
  assert.equal(turn.text, "ok");
  assert.ok(host.logs.some(({ data }) => JSON.stringify(data).includes("unheard_of")));
});

Deno.test("plugin ends when its host hangs up, and nothing is left", async () => {
  await using sandbox = await withCodex(HANGS);
  await using pipes = await Pipes.start(sandbox.env);
  await pipes.send({ id: 1, method: "initialize" });
  await pipes.send({ id: 2, method: "plexum/provider/stream", params: asks(sandbox) });
  for await (const { method } of pipes.frames()) {
    if (method === "notifications/plexum/provider/event") break; // and close the pipe
  }
  // The next write finds nobody there.
  await pipes.send({ id: 3, method: "ping" });
  assert.equal((await pipes.ended()).code, 0);
  assert.deepEqual(await sandbox.processes(), []);
});

Deno.test("plugin ends on EOF although nobody reads what it has to say", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  await using pipes = await Pipes.start(sandbox.env);
  const method = "x".repeat(1 << 20);
  for (let id = 0; id < 4; id++) await pipes.send({ id, method });
  await pipes.closeStdin();
  assert.equal((await pipes.ended()).code, 0);
});

Deno.test("plugin answers a flood of requests in order, also when they are read late", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  await using pipes = await Pipes.start(sandbox.env);
  const COUNT = 20_000;
  const pings = Array.from({ length: COUNT }, (_, id) => ({ id, method: "ping" }));
  for (const ping of pings) await pipes.send(ping);
  let next = 0;
  for await (const { id, result } of pipes.frames()) {
    assert.deepEqual([id, result], [next, {}]);
    next += 1;
    if (next === COUNT) await pipes.closeStdin();
  }
  assert.equal(next, COUNT);
});

Deno.test("plugin refuses the 1001st request that waits, and ends all the others on EOF", async () => {
  await using sandbox = await withCodex(HANGS);
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turns = Array.from({ length: 1001 }, () => host.stream(asks(sandbox)));
  const last = turns.pop();
  assert.ok(last);
  await assert.rejects(last.result, (error: RpcError) => {
    assert.equal(error.message, "1000 requests are running already: wait for one to end");
    assert.deepEqual([error.code, error.data.retryable], [-32000, true]);
    return true;
  });
  await turns[0]?.until("message_start");
  await host.closeStdin();
  for (const turn of turns) assert.equal((await turn.end()).stop_reason, "cancelled");
});

Deno.test("plugin survives requests that no host should send", async () => {
  await using sandbox = await withCodex({ acts: plainTurn("still here") });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const hostile = [
    `{"jsonrpc":"2.0","id":101,"method":"plexum/provider/stream","params":${deep}}`,
    `{"jsonrpc":"2.0","id":102,"method":"plexum/provider/stream","params":{"__proto__":{"request":{"messages":[]}}}}`,
    `{"jsonrpc":"2.0","id":103,"method":"__proto__"}`,
  ];
  for (const [index, line] of hostile.entries()) {
    const turn = host.expectTurn(101 + index);
    await host.sendRaw(new TextEncoder().encode(line + "\n"));
    await assert.rejects(turn.result, (error: RpcError) => {
      assert.ok([-32602, -32603, -32601].includes(error.code), `${error.code} ${error.message}`);
      return true;
    });
  }
  const turn = host.stream(asks(sandbox));
  assert.equal((await turn.result).stop_reason, "end_turn");
});

Deno.test("plugin at log level debug survives a frame nested 20,000 deep", async () => {
  await using sandbox = await withCodex({ acts: plainTurn("still here") }, { log_level: "debug" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]] as const) {
    const deep = open.repeat(20_000) + "1" + close.repeat(20_000);
    for (
      const frame of [
        `"id":${deep},"result":1`,
        `"id":1,"result":${deep}`,
        `"id":7,"error":${deep}`,
      ]
    ) {
      await host.sendRaw(new TextEncoder().encode(`{"jsonrpc":"2.0",${frame}}\n`));
    }
  }
  await host.logged("response without a request");
  assert.equal((await host.stream(asks(sandbox)).result).stop_reason, "end_turn");
});

Deno.test("a turn says how codex is run at log level debug, and only there", async () => {
  await using sandbox = await withCodex({ acts: plainTurn("ok") }, { transport: "exec" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  for (const level of ["info", "debug"]) {
    await host.request("logging/setLevel", { level });
    const turn = host.stream(asks(sandbox));
    await turn.result;
    const told = turn.of("status").flatMap(({ data }) => data?.transport ?? []);
    assert.deepEqual(told, level === "debug" ? ["exec"] : []);
  }
});

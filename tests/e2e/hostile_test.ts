/**
 * A machine that is against us: a full disk, a state directory that cannot be written, no file
 * descriptors left, a codex that is stopped, a host that does not read. Every turn that began ends,
 * nothing stays behind, and when the machine is well again, so is the plugin.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { ErrorBody, StreamResult } from "../../plugin/protocol.ts";
import { executable } from "../support/checkout.ts";
import { BarePlugin } from "../support/bare_plugin.ts";
import {
  began,
  completed,
  type FakeCodex,
  fakeCodex,
  plainTurn,
  type Scenario,
} from "../support/fake_codex.ts";
import { type Host, startHost } from "../support/host.ts";
import { canMount, type Mounted, mountSmall } from "../support/mounted.ts";
import { RpcError } from "../support/rpc_error.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import type { Turn } from "../support/turn.ts";
import { skipped } from "../support/skipped.ts";

const MOUNTS = canMount();

interface World {
  sandbox: Sandbox;
  codex: FakeCodex;
  state: string;
}

async function world(scenario: Scenario, config: Record<string, unknown> = {}): Promise<World> {
  const sandbox = await openSandbox({ binary: "codex", config });
  const codex = await fakeCodex(sandbox.root, scenario);
  await sandbox.configure({ binary: codex.path });
  const state = join(sandbox.profile, "plugins/plexum-openai-provider/state");
  return { sandbox, codex, state };
}

function asks(sandbox: Sandbox, workspace = sandbox.workspace): Record<string, unknown> {
  return {
    agent: { agent_id: "cx", workspace },
    request: { messages: [{ role: "user", content: "hello" }] },
  };
}

/** Whatever became of the turn: how it ended, or why it did not begin. */
async function outcome(turn: Turn): Promise<string> {
  return await turn.end().then(
    ({ stop_reason }) => stop_reason,
    (error: Error) => `refused: ${error.message}`,
  );
}

/** A state directory of so many bytes, and a plugin whose first turn there ended well. */
interface SmallDisk extends AsyncDisposable {
  sandbox: Sandbox;
  state: string;
  disk: Mounted;
  host: Host;
  first: StreamResult;
}

async function onSmallDisk(bytes: number): Promise<SmallDisk> {
  await using stack = new AsyncDisposableStack();
  const { sandbox, state } = await world({ acts: plainTurn("hi") });
  stack.use(sandbox);
  const disk = mountSmall(state, bytes);
  assert.ok(disk);
  stack.use(disk);
  const host = stack.use(await startHost({ env: sandbox.env }));
  await host.initialize();
  const first = await host.stream(asks(sandbox)).result;
  assert.equal(first.stop_reason, "end_turn");
  const all = stack.move();
  return { sandbox, state, disk, host, first, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function onlyPlugin(sandbox: Sandbox, host: Host): Promise<void> {
  assert.deepEqual((await sandbox.processes()).map(({ pid }) => pid), [host.pid]);
}

Deno.test({
  name:
    "state directory without space: turns end with a reason, and go on when there is space again",
  ignore: skipped(!MOUNTS, "no file system may be mounted here"),
  async fn() {
    await using small = await onSmallDisk(128 * 1024);
    const { sandbox, state, host, first } = small;
    const filler = join(state, "filler");
    fill(filler);
    const [full, other] = [
      host.stream(asks(sandbox)),
      host.stream(asks(sandbox, await sandbox.newWorkspace("w2"))),
    ];
    // How far a resumed thread is can be found in codex's session again: its turn may end well.
    assert.match(await outcome(full), /^(end_turn|error|refused: .*(space|ENOSPC|full).*)$/is);
    assert.match(await outcome(other), /^(error|refused: .*(space|ENOSPC|full).*)$/is);
    for (const turn of [full, other]) {
      const [failure] = turn.of("error");
      if (failure) assert.match(failure.error.message, /space/i);
    }
    await onlyPlugin(sandbox, host);

    Deno.removeSync(filler);
    const after = await host.stream(asks(sandbox)).result;
    assert.deepEqual([after.stop_reason, after.thread_id], ["end_turn", first.thread_id]);
    assert.deepEqual([...Deno.readDirSync(join(state, "running"))], []);
  },
});

Deno.test({
  name: "state directory that cannot be written is named, and the plugin waits for better times",
  ignore: skipped(!MOUNTS, "no file system may be mounted here"),
  async fn() {
    await using small = await onSmallDisk(1024 * 1024);
    const { sandbox, disk, host, first } = small;
    disk.remount("ro");
    const refused: unknown = await host.stream(asks(sandbox)).result.catch((error: unknown) =>
      error
    );
    assert.ok(refused instanceof RpcError);
    assert.match(refused.message, /read-only/i);
    const { kind, retryable } = refused.data as ErrorBody;
    assert.deepEqual([kind, retryable], ["config", false]);
    await onlyPlugin(sandbox, host);
    const mutated = host.request("plexum/session/mutate", {
      agent_id: "cx",
      workspace: sandbox.workspace,
      mutations: [{ block_id: "call_1", op: "consume-light" }],
    });
    await mutated.then(() => {}, (error: Error) => assert.match(error.message, /read-only|lock/i));

    disk.remount("rw");
    const after = await host.stream(asks(sandbox)).result;
    assert.deepEqual([after.stop_reason, after.thread_id], ["end_turn", first.thread_id]);
  },
});

Deno.test("plugin with hardly any file descriptors: turns fail one by one, none is left, others run", async () => {
  const { sandbox } = await world({ acts: plainTurn("hi") });
  await using _ = sandbox;
  const { command, args } = await executable();
  const limited = ["-c", 'ulimit -n 48; exec "$0" "$@"', command, ...args];
  await using host = await startHost({
    env: sandbox.env,
    command: { command: "/bin/sh", args: limited },
  });
  await host.initialize();
  const turns: Turn[] = [];
  for (let n = 0; n < 24; n++) {
    turns.push(host.stream(asks(sandbox, await sandbox.newWorkspace(`w${n}`))));
  }
  const ends = await Promise.all(turns.map(outcome));
  assert.ok(ends.some((end) => end !== "end_turn"), "the limit was met");
  await onlyPlugin(sandbox, host);
  const after = await host.stream(asks(sandbox)).result;
  assert.equal(after.stop_reason, "end_turn");
});

Deno.test("codex that is stopped (SIGSTOP) is ended by the silence watchdog, its family too", async () => {
  const { sandbox, codex } = await world(
    {
      acts: [began(), { child: { name: "kid", escape: "session" } }, { mark: "up" }, {
        hang: true,
      }],
    },
    { timeouts: { silence_ms: 500, grace_ms: 200 } },
  );
  await using _ = sandbox;
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turn = host.stream(asks(sandbox));
  const pid = await codex.reached("up");
  Deno.kill(pid, "SIGSTOP");
  assert.equal((await turn.result).stop_reason, "error");
  assert.equal(turn.of("error")[0]?.error.kind, "timeout");
  await onlyPlugin(sandbox, host);
  await codex.play({ acts: plainTurn("again") });
  const next = await host.stream(asks(sandbox)).result;
  assert.equal(next.stop_reason, "end_turn");
});

Deno.test("plugin that is stopped and goes on (SIGSTOP, SIGCONT) does not take its own sleep for silence", async () => {
  const { sandbox, codex } = await world(
    { acts: [began(), { mark: "up" }, { waitFor: "go" }, completed()] },
    { timeouts: { silence_ms: 1500 } },
  );
  await using _ = sandbox;
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turn = host.stream(asks(sandbox));
  await codex.reached("up");
  await turn.until("message_start");
  host.kill("SIGSTOP");
  // Longer than the silence that is allowed; codex speaks meanwhile.
  await codex.pull("go");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  host.kill("SIGCONT");
  assert.equal((await turn.result).stop_reason, "end_turn");
});

Deno.test({
  name: "host that does not read can cancel: codex is gone at once, and little was kept for it",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
  async fn() {
    const print = {
      type: "item.completed",
      item: { id: "$N", type: "agent_message", text: "$PAD" },
    };
    const { sandbox } = await world({
      acts: [began(), { flood: { count: 2_000_000, padBytes: 1000, print } }, completed()],
    });
    await using _ = sandbox;
    await using plugin = await BarePlugin.start(sandbox.env);
    const before = plugin.memory();
    await plugin.send({ id: 1, method: "plexum/provider/stream", params: asks(sandbox) });
    for await (const { params } of plugin.frames()) {
      if (params?.event?.type === "text_delta") break;
    }
    await plugin.standstill();
    assert.ok(plugin.memory("VmHWM") < before + 100, "what cannot be sent is not read");
    await plugin.send({ method: "notifications/cancelled", params: { requestId: 1 } });
    while ((await sandbox.processes()).length > 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    let events = 0;
    for await (const { params } of plugin.frames()) {
      events++;
      if (params?.event?.type === "message_end") break;
    }
    assert.ok(events < 20_000, `${events} events were kept`);
  },
});

/** Writes until nothing more goes in. */
function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (const length of [4096, 1]) {
    try {
      for (;;) file.writeSync(new Uint8Array(length));
    } catch {
      // Full.
    }
  }
}

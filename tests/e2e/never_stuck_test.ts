/**
 * Turns end: whatever holds or floods codex's stdout, however long codex takes to be found or set up,
 * and also where codex cannot be ended at all. Meanwhile the plugin answers.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import {
  type Act,
  began,
  completed,
  type FakeCodex,
  fakeCodex,
  plainTurn,
  said,
  type Scenario,
} from "../support/fake_codex.ts";
import { StateStore } from "../../rollout/state/state.ts";
import { NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { within } from "../support/deadline.ts";
import { type Host, startHost } from "../support/host.ts";
import { canGiveAway } from "../support/other_user.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { asks, openWorld } from "./world.ts";
import { skipped } from "../support/skipped.ts";

/** What an answer to `ping` may take on a busy machine; on an idle one it takes some milliseconds. */
const PING_MS = 5_000;

interface Stage extends AsyncDisposable {
  sandbox: Sandbox;
  codex: FakeCodex;
  host: Host;
}

async function stage(scenario: Scenario, config: Record<string, unknown> = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(
    await openSandbox({ binary: "codex", config: { transport: "exec", ...config } }),
  );
  const codex = await fakeCodex(sandbox.root, scenario);
  await sandbox.configure({ binary: codex.path });
  const host = stack.use(await startHost({ env: sandbox.env }));
  await host.initialize();
  const all = stack.move();
  return { sandbox, codex, host, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Waits for `event`, and asks the plugin all the while whether it lives. */
async function whilePinging<T>(host: Host, event: Promise<T>): Promise<T> {
  let over = false;
  const settled = event.finally(() => over = true);
  settled.catch(() => {});
  while (!over) {
    const asked = performance.now();
    await host.request("ping");
    const ms = performance.now() - asked;
    assert.ok(ms < PING_MS, `ping was answered after ${Math.round(ms)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return await settled;
}

const item = JSON.stringify({ type: "item.completed", item: { type: "agent_message", text: "x" } });
const FLOODS = {
  words: "exec yes",
  "JSON lines": `exec yes '${item}'`,
  "blank lines": `exec yes ''`,
  "a line every 2 ms": "while :; do echo not codex; sleep 0.002; done",
};

for (const [name, run] of Object.entries(FLOODS)) {
  const flood: Act = { child: { name: "flood", escape: "session", clean: true, run } };

  Deno.test(`a turn ends although a child of a codex that died floods its stdout with ${name}`, async () => {
    await using it = await stage({ acts: [began(), said("hi"), flood, { exit: 7 }] });
    const turn = it.host.stream(asks(it.sandbox.workspace, "go"));
    const { stop_reason } = await whilePinging(it.host, turn.result);
    assert.equal(stop_reason, "error");
    const [failure] = turn.of("error");
    assert.deepEqual([failure?.error.kind, failure?.error.exit_code], ["crashed", 7]);
  });

  Deno.test(`a turn is over with codex's last word although a child floods its stdout with ${name}`, async () => {
    await using it = await stage({ acts: [began(), said("hi"), completed(), flood, { exit: 0 }] });
    const turn = it.host.stream(asks(it.sandbox.workspace, "go"));
    assert.equal((await whilePinging(it.host, turn.result)).stop_reason, "end_turn");
    assert.equal(turn.text, "hi");
  });

  Deno.test(`a cancel and total_ms end a codex whose child floods its stdout with ${name}`, async () => {
    await using it = await stage(
      { acts: [began(), flood, { mark: "up" }, { hang: true }], onInterrupt: "ignore" },
      { timeouts: { grace_ms: 200 } },
    );
    const cancelled = it.host.stream(asks(it.sandbox.workspace, "go"));
    await whilePinging(it.host, it.codex.reached("up"));
    await cancelled.cancel();
    assert.equal((await whilePinging(it.host, cancelled.end())).stop_reason, "cancelled");

    await it.sandbox.configure({
      binary: it.codex.path,
      timeouts: { grace_ms: 200, total_ms: 1500 },
    });
    const late = it.host.stream(asks(it.sandbox.workspace, "go"));
    assert.equal((await whilePinging(it.host, late.result)).stop_reason, "error");
    assert.match(late.of("error")[0]?.error.detail ?? "", /^watchdog: total/);
  });
}

/** Resolves when a thread of the profile is remembered with so many tokens. */
async function remembered(profile: string, tokens: number): Promise<void> {
  const store = new StateStore(join(profile, "plugins/plexum-openai-provider/state"));
  while (!store.list().some(({ state }) => state.usageTotal.inputTokens === tokens)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a cancel that comes after codex's last word changes nothing: the host has its answer", async () => {
  await using it = await stage({
    acts: [...plainTurn("hi", { inputTokens: 7 }), { waitFor: "exit" }],
    onInterrupt: [{ mark: "heard" }],
  });
  const { profile, workspace } = it.sandbox;
  const turn = it.host.stream(asks(workspace, "go"));
  await within(remembered(profile, 7), "the turn's last word", () => turn.story());
  await turn.cancel();
  await it.host.request("ping");
  await it.codex.pull("exit");
  assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
  assert.equal(turn.text, "hi");
});

Deno.test("the plugin ends on EOF while a child of codex floods its stdout", async () => {
  const flood: Act = { child: { name: "flood", escape: "session", clean: true, run: "exec yes" } };
  await using it = await stage({ acts: [began(), flood, { mark: "up" }, { hang: true }] });
  it.host.stream(asks(it.sandbox.workspace, "go"));
  await it.codex.reached("up");
  await it.host.closeStdin();
  assert.equal((await it.host.exit).code, 0);
});

for (
  const [command, config] of [
    ["--version", {}],
    ["mcp", { user_mcp_servers: "disable" }],
  ] as const
) {
  Deno.test(`cancel and limits count while codex ${command} hangs`, async () => {
    await using it = await stage(
      { acts: plainTurn("hi"), hangOn: [command] },
      { ...config, timeouts: { total_ms: 700 } },
    );
    const late = it.host.stream(asks(it.sandbox.workspace, "go"));
    await assert.rejects(whilePinging(it.host, late.result), /took longer than 0\.7 s/);

    await it.sandbox.configure({ binary: it.codex.path, ...config });
    const turn = it.host.stream(asks(it.sandbox.workspace, "go"));
    await it.codex.reached(`hung on ${command}`);
    await turn.cancel();
    assert.equal((await whilePinging(it.host, turn.end())).stop_reason, "cancelled");
    assert.deepEqual(turn.seen.map(({ type }) => type), ["message_end"]);
  });
}

Deno.test({
  name: "what codex says without end before its thread takes no memory without end",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
  async fn() {
    const print = { type: "error", message: "Reconnecting... $N $PAD" };
    await using it = await stage(
      { acts: [{ flood: { count: 400_000, padBytes: 1000, print } }, { hang: true }] },
      { timeouts: { start_ms: 6000 } },
    );
    const before = highest(it.host);
    const turn = it.host.stream(asks(it.sandbox.workspace, "go"));
    await assert.rejects(whilePinging(it.host, turn.result), /did not announce its thread/);
    assert.ok(highest(it.host) < before + 120, `${highest(it.host)} MiB, before ${before}`);
  },
});

/** The most memory that the plugin ever had, in MiB. */
function highest({ pid }: Host): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

Deno.test("a line that codex takes long to write is a sign of life", async () => {
  const pieces = 8;
  const acts = Array.from({ length: pieces }, (_, n): Act[] => [
    { print: "x".repeat(100) },
    { waitFor: `go ${n}` },
  ]).flat();
  await using it = await stage(
    {
      acts: [
        began(),
        { print: '{"type":"item.completed","item":{"type":"agent_message","text":"' },
        ...acts,
        { print: '"}}\n' },
        completed(),
      ],
    },
    { timeouts: { silence_ms: 1500 } },
  );
  const turn = it.host.stream(asks(it.sandbox.workspace, "go"));
  await turn.until("message_start");
  for (let n = 0; n < pieces; n++) {
    // Much less than the silence that is allowed, and in all much more.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await it.codex.pull(`go ${n}`);
  }
  assert.equal((await turn.result).stop_reason, "end_turn");
  assert.equal(turn.text.length, 100 * pieces);
});

/** Why a process of another user cannot be made here; empty where it can. */
function whyNoOtherUser(): string {
  if (Deno.build.os !== "linux" || !canGiveAway()) return "only root on Linux can";
  try {
    return new Deno.Command("setpriv", { args: ["--version"], stdout: "null" }).outputSync().success
      ? ""
      : "no setpriv";
  } catch {
    return "no setpriv";
  }
}

const WHY_NOT = whyNoOtherUser();

Deno.test({
  name: "a codex that we may not signal is given up and named",
  ignore: skipped(WHY_NOT !== "", `a codex of another user: ${WHY_NOT}`),
  async fn() {
    await using sandbox = await openSandbox({
      binary: "codex",
      config: { transport: "exec", timeouts: { grace_ms: 200 } },
    });
    const codex = await fakeCodex(sandbox.root, {
      acts: [began(), { mark: "up" }, { hang: true }],
    });
    await sandbox.configure({ binary: await asRoot(sandbox.root, codex.path) });
    await run("chown", ["-R", "65534:65534", sandbox.home, sandbox.profile, sandbox.codexHome]);
    await run("chown", ["65534:65534", sandbox.workspace, sandbox.runtime, sandbox.temp]);
    await run("chmod", ["755", sandbox.root]);
    const { executable } = await import("../support/checkout.ts");
    const { command, args } = await executable();
    // The checkout may lie where nobody else can go.
    const plugin = join(sandbox.root, "plugin");
    await run("cp", [command, plugin]);
    await using host = await startHost({
      env: sandbox.env,
      cwd: sandbox.root,
      command: {
        command: "setpriv",
        args: ["--reuid=65534", "--regid=65534", "--clear-groups", plugin, ...args],
      },
    });
    await host.initialize();
    const turn = host.stream(asks(sandbox.workspace, "go"));
    const pid = await codex.reached("up");
    try {
      await turn.cancel();
      assert.equal((await whilePinging(host, turn.end())).stop_reason, "cancelled");
      const [failure] = turn.of("error");
      assert.equal(failure?.error.kind, "internal");
      assert.match(failure?.error.message ?? "", new RegExp(`process ${pid} \\(.+\\) cannot be`));
    } finally {
      Deno.kill(pid, "SIGKILL");
    }
  },
});

/** A program that becomes `program` as root, whoever starts it. */
async function asRoot(root: string, program: string): Promise<string> {
  const setpriv = join(root, "setpriv");
  await run("cp", ["-f", await which("setpriv"), setpriv]);
  await run("chmod", ["4755", setpriv]);
  const wrapper = join(root, "codex-as-root");
  const become = `exec '${setpriv}' --reuid=0 --regid=0 --clear-groups '${program}' "$@"`;
  await Deno.writeTextFile(wrapper, `#!/bin/sh\n${become}\n`, { mode: 0o755 });
  await Deno.chmod(wrapper, 0o755);
  return wrapper;
}

async function which(name: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${name}`] }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function run(command: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args }).output();
  assert.ok(success, `${command} ${args.join(" ")}`);
}

for (const version of [OLDEST_CODEX, NEWEST_CODEX]) {
  Deno.test(`codex ${version}: the user's notify program finishes, and one that does not is ended`, async () => {
    await using world = await openWorld(version);
    const { sandbox, host } = world;
    const done = join(sandbox.root, "notified");
    const program = join(sandbox.root, "notify");
    await Deno.writeTextFile(program, `#!/bin/sh\nsleep 0.4\necho "$1" > '${done}'\n`);
    await Deno.chmod(program, 0o755);
    const toml = join(sandbox.codexHome, "config.toml");
    await Deno.writeTextFile(
      toml,
      `notify = [${JSON.stringify(program)}]\n${await Deno.readTextFile(toml)}`,
    );
    const first = await host.stream(asks(sandbox.workspace, "go")).result;
    assert.equal(first.stop_reason, "end_turn");
    assert.match(await Deno.readTextFile(done), /agent-turn-complete/);

    await Deno.writeTextFile(program, "#!/bin/sh\nsleep 1000000 &\nsleep 1000000\n");
    const second = await host.stream(asks(sandbox.workspace, "go on")).result;
    assert.equal(second.stop_reason, "end_turn");
    assert.deepEqual((await sandbox.processes()).map(({ pid }) => pid), [host.pid]);
  });
}

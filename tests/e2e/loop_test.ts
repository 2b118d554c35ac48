/**
 * The plugin's loop goes on, whatever happens to the files it reads: all turns share it, and a stop there
 * is a stop of everything.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { locateRolloutSync } from "../../rollout/locate.ts";
import { METHOD } from "../../plugin/protocol.ts";
import { began, completed, fakeCodex } from "../support/fake_codex.ts";
import { type Host, startHost } from "../support/host.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { asks } from "./world.ts";

/** Asks `ping` again and again until it is disposed of; tells the longest answer in milliseconds. */
function pinging(host: Host): { longest: () => number } & AsyncDisposable {
  let longest = 0;
  let over = false;
  const asking = (async () => {
    while (!over) {
      const began = performance.now();
      await host.request(METHOD.ping, {});
      longest = Math.max(longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    longest: () => longest,
    async [Symbol.asyncDispose]() {
      over = true;
      await asking;
    },
  };
}

/** A shell script beside the plugin, killed when it is disposed of. */
function shell(script: string, cwd: string): AsyncDisposable {
  const child = new Deno.Command("sh", {
    args: ["-c", script],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      try {
        Deno.kill(-child.pid, "SIGKILL");
      } catch {
        // It was done.
      }
      await child.status;
    },
  };
}

/** A loaded machine may be slow; a loop that stands still answers never. */
const SLOW_MS = 2_000;

Deno.test("the loop goes on while the session file is swapped with a FIFO again and again", async () => {
  await using sandbox = await openSandbox({ binary: "/nonexistent/codex" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  await using _swapper = shell(
    "f=.plexum-codex-session; while :; do printf x > n; mv n $f; mkfifo n; mv n $f; done",
    sandbox.workspace,
  );
  await using ping = pinging(host);
  for (let round = 0; round < 60; round++) {
    // Each agent is new here: the session file is looked at.
    const answer = await host.request(METHOD.mutate, {
      agent_id: `agent-${round}`,
      workspace: sandbox.workspace,
      mutations: [{ block_id: "call_1", op: "consume-light" }],
    });
    assert.equal((answer as { touched: number }).touched, 0);
  }
  assert.ok(ping.longest() < SLOW_MS, `${ping.longest()} ms`);
});

/** A turn whose codex waits, and the rollout it records into. */
async function waitingTurn(sandbox: Sandbox, host: Host, timeouts = {}) {
  const meta = { type: "event_msg", payload: { type: "task_started" } };
  const codex = await fakeCodex(sandbox.root, {
    acts: [
      began(),
      { print: { type: "turn.started" } },
      { rollout: [meta] },
      { mark: "recorded" },
      { waitFor: "go" },
      completed(),
    ],
  });
  await sandbox.configure({ binary: codex.path, timeouts });
  const turn = host.stream(asks(sandbox.workspace, "go"));
  await codex.reached("recorded");
  const [run] = await codex.runs();
  const located = locateRolloutSync(sandbox.codexHome, run?.thread ?? "");
  assert.equal(located.kind, "found");
  return { turn, codex, path: located.kind === "found" ? located.path : "" };
}

/** A record that is decoded and means something to the turn, and that the host is not told. */
const RECORD = JSON.stringify({
  timestamp: "2026-11-22T12:28:35.745Z",
  ordinal: 7,
  type: "event_msg",
  payload: { type: "token_count", info: { total_token_usage: {}, last_token_usage: {} } },
});

Deno.test("the turn ends within its limit while its rollout grows faster than it is read", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const timeouts = { total_ms: 4_000, grace_ms: 500 };
  const { turn, path } = await waitingTurn(sandbox, host, timeouts);
  const before = residentMiB(host.pid);
  // Up to 600 MB; what is there when codex is gone takes longer to read than the turn has time.
  await using _writer = shell(`yes '${RECORD}' | head -c 600M >> '${path}'`, sandbox.root);
  await using ping = pinging(host);
  const began = performance.now();
  const end = await turn.end();
  const seconds = (performance.now() - began) / 1000;
  assert.equal(end.stop_reason, "error", turn.story());
  assert.ok(seconds < 15, `${seconds} s for a limit of 4 s and 0.5 s of grace`);
  assert.ok(ping.longest() < SLOW_MS, `${ping.longest()} ms`);
  const grown = residentMiB(host.pid) - before;
  assert.ok(grown < 150, `${grown} MiB more`);
  await turn.result.catch(() => {});
});

Deno.test("a backlog in the rollout is told bit by bit, with a batch of it in memory", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const { turn, path, codex } = await waitingTurn(sandbox, host);
  const before = residentMiB(host.pid);
  // 40 MB in one go, of which the host is told the two calls at both ends.
  const call = (id: string) =>
    JSON.stringify({
      timestamp: "2026-11-22T12:28:35.745Z",
      type: "response_item",
      payload: { type: "function_call", name: "shell", arguments: "{}", call_id: id },
    }) + "\n";
  const records = `${RECORD}\n`.repeat(Math.ceil(40_000_000 / (RECORD.length + 1)));
  await using ping = pinging(host);
  Deno.writeTextFileSync(path, call("first") + records + call("last"), { append: true });
  await codex.pull("go");
  await turn.end();
  await turn.result;
  assert.deepEqual(turn.of("tool_call_start").map(({ id }) => id), ["first", "last"]);
  assert.ok(ping.longest() < SLOW_MS, `${ping.longest()} ms`);
  const grown = residentMiB(host.pid) - before;
  assert.ok(grown < 100, `${grown} MiB more`);
});

function residentMiB(pid: number): number {
  const status = new TextDecoder().decode(
    new Deno.Command("cat", { args: [join("/proc", String(pid), "status")] }).outputSync().stdout,
  );
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

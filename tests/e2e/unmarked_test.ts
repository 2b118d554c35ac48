/**
 * A command that takes off both marks and leaves the process tree (`danger-full-access`): it is ended with
 * its turn when one of the looks, four a second, has seen whose it was.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import { command } from "../support/model/items.ts";
import { NEWEST_CODEX, STAYING_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import type { ScriptedStep } from "../support/model/step.ts";
import type { Sandbox } from "../support/sandbox.ts";
import type { Turn } from "../support/turn.ts";
import { skipped } from "../support/skipped.ts";
import { asks, openWorld, STAYING } from "./world.ts";

/** Starts the daemon, stays for as long as a look may take to come round, and then for `seconds`. */
const daemon = (seconds: number): ScriptedStep => ({
  items: [command(
    `env -i prlimit --locks=7:7 setsid sleep 8765 </dev/null >/dev/null 2>&1 & ` +
      `until [ -e seen ]; do sleep 0.05; done; sleep ${seconds}`,
    "call_daemon",
    { yield_time_ms: 30_000 },
  )],
});
const options = (seconds: number) => ({
  steps: [daemon(seconds), { text: "done" }],
  config: { sandbox: "danger-full-access" },
});

/** Resolves with the daemon's pid when the turn's record of its processes has it. */
async function recorded(sandbox: Sandbox): Promise<number> {
  const running = join(sandbox.profile, "plugins/plexum-openai-provider/state/running");
  for (;;) {
    const daemon = (await sandbox.processes()).find(({ command }) => /^sleep 8765/.test(command));
    const turns = daemon === undefined ? [] : [...Deno.readDirSync(running)];
    for (const { name } of turns) {
      const path = join(running, name, "family.json");
      const text = await Deno.readTextFile(path).catch(() => "[]");
      if (daemon && text.includes(`"pid":${daemon.pid},`)) {
        Deno.writeTextFileSync(join(sandbox.workspace, "seen"), "");
        return daemon.pid;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function onlyPlugin(sandbox: Sandbox, pid: number): Promise<void> {
  const others = (await sandbox.processes())
    .filter((process) => process.pid !== pid && !/ app-server /.test(process.command));
  assert.deepEqual(others, []);
}

const ignore = skipped(!marksByLimit(), "a daemon without marks: there is no prlimit here");

/** A turn whose daemon was seen, and `end`, after which only the plugin may be left. */
async function untilGone(
  way: string,
  seconds: number,
  end: (turn: Turn, sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  await using world = await openWorld(way, options(seconds));
  const { host, sandbox } = world;
  const turn = host.stream(asks(sandbox.workspace, "go"));
  await recorded(sandbox);
  await end(turn, sandbox);
  await onlyPlugin(sandbox, host.pid);
}

for (const way of [NEWEST_CODEX, ...STAYING.slice(-1)]) {
  Deno.test({
    name: `unmarked daemon of codex ${way} is ended when the turn ends by itself`,
    ignore,
    fn: () =>
      untilGone(way, 0, async (turn) => {
        assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      }),
  });

  Deno.test({
    name: `unmarked daemon of codex ${way} is ended when the turn is cancelled`,
    ignore,
    fn: () =>
      untilGone(way, 1000, async (turn) => {
        await turn.cancel();
        assert.equal((await turn.end()).stop_reason, "cancelled");
      }),
  });
}

Deno.test({
  name: "unmarked daemon is ended when a codex that stays is killed in the turn",
  ignore: ignore || !STAYING_CODEX.includes(NEWEST_CODEX),
  fn: () =>
    untilGone(STAYING.at(-1) ?? "", 1000, async (turn, sandbox) => {
      const codex = (await sandbox.processes()).find(({ command }) => /app-server/.test(command));
      assert.ok(codex !== undefined);
      Deno.kill(codex.pid, "SIGKILL");
      assert.equal((await turn.result).stop_reason, "error", turn.story());
    }),
});

Deno.test({
  name: "unmarked daemon of a plugin that was killed is ended by the next start",
  ignore,
  async fn() {
    await using world = await openWorld(NEWEST_CODEX, options(1000));
    const { host, sandbox } = world;
    host.stream(asks(sandbox.workspace, "go"));
    await recorded(sandbox);
    host.kill("SIGKILL");
    await host.exit;
    await using next = await startHost({ env: sandbox.env });
    await next.initialize();
    assert.equal((await next.stream(asks(sandbox.workspace, "on")).result).stop_reason, "end_turn");
    await onlyPlugin(sandbox, next.pid);
  },
});

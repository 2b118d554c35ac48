/** Ends of turns of a real codex: what was asked to stop has stopped, and the server is warm. */
import { strict as assert } from "node:assert";
import type { CodexEvent } from "../../../runner/transport.ts";
import { command } from "../../support/model/items.ts";
import { allProcesses } from "../../support/processes.ts";
import { codexCanSandbox } from "../../support/user_namespaces.ts";
import { APP_SERVER_VERSIONS, type Played, Rig } from "./rig.ts";

const run = (cmd: string) => ({ items: [command(cmd, undefined, { yield_time_ms: 60_000 })] });

/** A number of seconds that nobody else sleeps, nor what another run of the suite has left. */
const SLEEP = 1_000_000 + Deno.pid;

/** It ignores signals, leaves its group, its session, its parent and its environment. */
const HOSTILE = `trap '' INT TERM HUP; sleep ${SLEEP} & setsid sleep ${SLEEP} & ` +
  `(setsid env -i sh -c 'cd /; sleep ${SLEEP}' &) ; nohup sleep ${SLEEP} >/dev/null 2>&1 & sleep ${SLEEP}`;

async function sleepers(): Promise<string[]> {
  return (await allProcesses()).map(({ command }) => command)
    .filter((command) => command.includes(`sleep ${SLEEP}`));
}

/** Cancels when `when` says so. */
async function cancelled(
  rig: Rig,
  when: (event: CodexEvent) => false | true | Promise<void>,
  threadId?: string,
  sandbox: "workspace-write" | "danger-full-access" = "danger-full-access",
): Promise<Played> {
  const cancel = new AbortController();
  return await rig.play({ threadId, sandbox }, cancel.signal, (event) => {
    const now = when(event);
    if (now === true) cancel.abort();
    else if (now !== false) void now.then(() => cancel.abort());
  });
}

async function sleeping(): Promise<void> {
  while ((await sleepers()).length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
}

for (const version of APP_SERVER_VERSIONS) {
  for (const sandbox of ["workspace-write", "danger-full-access"] as const) {
    if (sandbox === "workspace-write" && !codexCanSandbox()) continue; // told by sandbox_test.ts
    Deno.test(`app-server ${version}: nothing of a hostile command in ${sandbox} is left when its turn is cancelled, and the server is warm`, async () => {
      await using rig = await Rig.real(version, { steps: [run(HOSTILE)] });
      let waited = false;
      const { outcome, threadId, events } = await cancelled(
        rig,
        (event) => {
          if (waited || event.type !== "turn_started") return false;
          waited = true;
          return sleeping();
        },
        undefined,
        sandbox,
      );
      assert.deepEqual(await sleepers(), []);
      assert.deepEqual([outcome.survivors, outcome.exit], [[], undefined]);
      assert.ok(!events.some(({ type }) => type === "turn_failed"));
      const [server] = rig.transport.snapshot().servers;
      await rig.good({ threadId });
      assert.equal(rig.transport.snapshot().servers[0]?.pid, server?.pid);
    });

    Deno.test(`app-server ${version}: nothing of a hostile command in ${sandbox} is left when its turn ends`, async () => {
      const steps = [run(`${HOSTILE.slice(0, HOSTILE.lastIndexOf("&"))}& true`), { text: "done" }];
      await using rig = await Rig.real(version, { steps });
      const { outcome } = await rig.good({ sandbox });
      assert.deepEqual(await sleepers(), []);
      assert.deepEqual([outcome.survivors, outcome.exit], [[], undefined]);
    });
  }

  Deno.test(`app-server ${version}: a turn is cancelled while the model is silent, and while it talks`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ hang: true }, { text: "word ".repeat(2000), chunkDelayMs: 5 }, { text: "well" }],
    });
    const asked = rig.sandbox.model.received(1).then(() => {});
    const first = await cancelled(rig, ({ type }) => type === "turn_started" && asked);
    const second = await cancelled(rig, ({ type }) => type === "message_delta", first.threadId);
    assert.equal(second.threadId, first.threadId);
    const third = await rig.good({ threadId: first.threadId });
    assert.equal(third.text, "well");
    assert.equal(rig.transport.snapshot().misses, 1);
  });

  Deno.test(`app-server ${version}: a turn that is cancelled before codex began it does not run on`, async () => {
    await using rig = await Rig.real(version, { fallback: { text: "ok", delayMs: 200 } });
    const first = await rig.good();
    // Told as soon as the request was accepted, which is before `turn/started`.
    await cancelled(rig, ({ type }) => type === "thread_started", first.threadId);
    const { text } = await rig.good({ threadId: first.threadId, prompt: "again" });
    assert.equal(text, "ok");
  });

  Deno.test(`app-server ${version}: a turn that is cancelled before it is loaded leaves a server that works`, async () => {
    await using rig = await Rig.real(version);
    const { outcome, events } = await rig.play({}, AbortSignal.abort());
    assert.deepEqual([events, outcome.refused, outcome.exit], [[], undefined, undefined]);
    await rig.good();
  });

  Deno.test(`app-server ${version}: a server that dies in a turn is told of with its exit, and the next turn goes on`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ text: "one" }, { hang: true }, { text: "three" }],
    });
    const first = await rig.good();
    const asked = rig.sandbox.model.received(2);
    const died = await rig.play({ threadId: first.threadId }, undefined, async ({ type }) => {
      if (type !== "turn_started") return;
      await asked;
      Deno.kill(rig.transport.snapshot().servers[0]?.pid ?? 0, "SIGKILL");
    });
    assert.equal(died.outcome.exit?.signal, "SIGKILL");
    assert.equal(died.outcome.refused, undefined);
    const next = await rig.good({ threadId: first.threadId });
    assert.equal(next.text, "three");
  });
}

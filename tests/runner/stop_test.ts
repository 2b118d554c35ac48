/** Stopping a turn: whatever its processes do, none of them is left. */
import { PIXEL } from "../support/pixel.ts";
import { strict as assert } from "node:assert";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import { skipped } from "../support/skipped.ts";
import { processRow } from "../../runner/process/process_table.ts";
import {
  type Act,
  began,
  completed,
  type FakeChild,
  plainTurn,
  said,
} from "../support/fake_codex.ts";
import { fakeRig, namesIn, type Rig } from "./rig.ts";

/** Children that do everything to outlive their codex. */
const HOSTILE: FakeChild[] = (["group", "session", "orphan"] as const).flatMap((escape) => [
  { name: `${escape}`, escape },
  { name: `${escape}-deaf`, escape, ignore: ["SIGINT", "SIGTERM", "SIGHUP"] },
  { name: `${escape}-clean`, escape, clean: true },
  { name: `${escape}-pipe`, escape, holdStdout: true },
]);
const children = HOSTILE.filter(({ escape, clean }) =>
  marksByLimit() || !clean || escape === "group"
);
skipped(
  children.length < HOSTILE.length,
  "children that leave codex's group with an empty environment: there is no prlimit here",
);
const family: Act[] = children.map((child) => ({ child }));

async function pidsOf(rig: Rig & { codex: { reached(mark: string): Promise<number> } }) {
  return await Promise.all(children.map(({ name }) => rig.codex.reached(name)));
}

async function allGone(pids: number[]): Promise<void> {
  const rows = await Promise.all(pids.map((pid) => processRow(pid)));
  assert.deepEqual(rows.filter((row) => row !== undefined), []);
}

for (const manners of ["cooperative", "deaf"] as const) {
  Deno.test(`a cancelled ${manners} codex leaves no child, no file, and a thread to go on with`, async () => {
    await using rig = await fakeRig({
      acts: [began(), said("working"), ...family, { mark: "busy" }, { hang: true }],
      ...(manners === "deaf" ? { onInterrupt: "ignore", ignoreTerm: true } : {}),
    });
    rig.settings.graceMs = manners === "deaf" ? 100 : 20_000;
    const turn = rig.turn({ images: [{ block: 0, dataBase64: PIXEL.png }] });
    await rig.codex.reached("busy");
    const pids = [...await pidsOf(rig), ...(await rig.codex.runs()).map(({ pid }) => pid)];
    turn.cancel();
    const end = await turn.end;
    assert.equal(end.stop_reason, "cancelled");
    assert.equal(turn.events.filter(({ type }) => type === "error").length, 0);
    await allGone(pids);
    assert.deepEqual(namesIn(rig.running), []);
    await rig.codex.play({ acts: plainTurn("still here") });
    const next = rig.turn();
    assert.equal((await next.end).thread_id, end.thread_id);
  });
}

Deno.test("a turn that ends by itself takes along what its codex left running", async () => {
  await using rig = await fakeRig({ acts: [...family, ...plainTurn("done")] });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "end_turn");
  await allGone(await pidsOf(rig));
});

Deno.test("a codex that is killed from outside takes its children along", async () => {
  await using rig = await fakeRig({ acts: [began(), ...family, { mark: "busy" }, { hang: true }] });
  const turn = rig.turn();
  Deno.kill(await rig.codex.reached("busy"), "SIGKILL");
  assert.equal((await turn.end).stop_reason, "error");
  const { error: failure } = await turn.until("error");
  assert.deepEqual([failure.kind, failure.signal], ["crashed", "SIGKILL"]);
  await allGone(await pidsOf(rig));
});

Deno.test("a codex that never announces its thread is ended with its children", async () => {
  await using rig = await fakeRig({ acts: [...family, { hang: true }], onInterrupt: "ignore" });
  rig.settings.limits.start = 1500;
  rig.settings.graceMs = 50;
  const turn = rig.turn();
  await assert.rejects(turn.end, /did not announce its thread within 1\.5 s/);
  await allGone(await pidsOf(rig).catch(() => []));
  assert.deepEqual(turn.events, []);
});

Deno.test("a silent codex is ended as timed out, and the detail names the watchdog", async () => {
  await using rig = await fakeRig({ acts: [began(), { hang: true }] });
  rig.settings.limits.silence = 300;
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "error");
  const { error: failure } = await turn.until("error");
  assert.equal(failure.kind, "timeout");
  assert.match(failure.detail ?? "", /^watchdog: silence, limit 300 ms/);
});

Deno.test("a codex whose tool is open has the longer limit", async () => {
  const payload = { type: "function_call", call_id: "c", name: "shell", arguments: "{}" };
  await using rig = await fakeRig({
    acts: [began(), { rollout: [{ type: "response_item", payload }] }, { hang: true }],
  });
  Object.assign(rig.settings.limits, { silence: 100_000, toolSilence: 300 });
  const turn = rig.turn();
  await turn.end;
  assert.match((await turn.until("error")).error.detail ?? "", /^watchdog: toolSilence/);
});

Deno.test("a turn that takes too long is ended, however lively it is", async () => {
  const item = { id: "item_0", type: "agent_message", text: "$N" };
  await using rig = await fakeRig({
    acts: [began(), { flood: { count: 10_000_000, print: { type: "item.completed", item } } }],
  });
  rig.settings.limits.total = 1000;
  const turn = rig.turn({}, () => new Promise((resolve) => setTimeout(resolve, 1)));
  assert.equal((await turn.end).stop_reason, "error");
  assert.match((await turn.until("error")).error.detail ?? "", /^watchdog: total/);
});

Deno.test("a turn that is cancelled before it begins starts no codex", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  const turn = rig.turn();
  turn.cancel();
  const end = await turn.end;
  assert.deepEqual([end.stop_reason, end.thread_id], ["cancelled", ""]);
  assert.deepEqual(turn.events.map(({ type }) => type), ["message_end"]);
  assert.deepEqual(await rig.codex.runs(), []);
});

Deno.test("a turn that is cancelled while codex starts ends as cancelled", async () => {
  await using rig = await fakeRig({ acts: [{ mark: "starting" }, { hang: true }] });
  const turn = rig.turn();
  await rig.codex.reached("starting");
  turn.cancel();
  assert.equal((await turn.end).stop_reason, "cancelled");
  assert.deepEqual(turn.events.map(({ type }) => type), ["message_end"]);
});

Deno.test("a turn that is cancelled between two starts ends as cancelled", async () => {
  await using rig = await fakeRig({ acts: [{ mark: "tried" }, { exit: 3 }] });
  rig.settings.retries = 1000;
  const turn = rig.turn();
  await rig.codex.reached("tried");
  turn.cancel();
  assert.equal((await turn.end).stop_reason, "cancelled");
});

Deno.test("a cancel reaches codex although nobody takes the turn's events", async () => {
  const item = { id: "item_0", type: "agent_message", text: "$PAD" };
  const flood = {
    flood: { count: 1000, padBytes: 100_000, print: { type: "item.completed", item } },
  };
  await using rig = await fakeRig({
    acts: [began(), ...family, { mark: "busy" }, flood, completed()],
  });
  const blocked = Promise.withResolvers<void>();
  const turn = rig.turn(
    {},
    (event) => event.type === "text_delta" ? blocked.promise : Promise.resolve(),
  );
  await turn.until("text_delta");
  const pids = [...await pidsOf(rig), await rig.codex.reached("busy")];
  turn.cancel();
  for (const pid of pids) {
    while (await processRow(pid) !== undefined) await new Promise((done) => setTimeout(done, 10));
  }
  blocked.resolve();
  assert.equal((await turn.end).stop_reason, "cancelled");
});

Deno.test("a second cancel, and one after the end, are no-ops", async () => {
  await using rig = await fakeRig({ acts: [began(), { mark: "busy" }, { hang: true }] });
  const turn = rig.turn();
  await rig.codex.reached("busy");
  turn.cancel();
  turn.cancel();
  assert.equal((await turn.end).stop_reason, "cancelled");
  turn.cancel();
  assert.equal(turn.events.filter(({ type }) => type === "message_end").length, 1);
});

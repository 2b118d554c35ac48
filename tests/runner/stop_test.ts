/**
 * Stopping a turn: whatever its processes do, none of them is left. And the watchdog, on a clock that
 * the tests set.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { processRow } from "../../runner/process/process_table.ts";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import { type Watch, Watchdog, type WatchLimits } from "../../runner/stop.ts";
import {
  type Act,
  began,
  completed,
  type FakeChild,
  plainTurn,
  said,
} from "../support/fake_codex.ts";
import { PIXEL } from "../support/pixel.ts";
import { skipped } from "../support/skipped.ts";
import { ManualClock } from "./manual_clock.ts";
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

const AGENT = "0199a213-81c0-7800-8aa1-bbab2a035a53";

/** A turn whose model has started an agent, with what a request of its own has used. */
function withAgent(tokens: number): Act[] {
  const used = {
    ...{ input_tokens: tokens, cached_input_tokens: 0 },
    ...{ output_tokens: 5, reasoning_output_tokens: 0, total_tokens: tokens + 5 },
  };
  const info = { total_token_usage: used, last_token_usage: used };
  const started = { type: "sub_agent_activity", kind: "started", agent_thread_id: AGENT };
  const payloads = [started, { type: "token_count", info }];
  return [
    began(),
    { print: { type: "turn.started" } },
    { rollout: payloads.map((payload) => ({ type: "event_msg", payload })) },
    said("working"),
  ];
}

/** Whoever opens the file a second time finds it gone. */
function goesOnceSeen(file: string): Disposable {
  const { openSync } = Deno;
  let seen = false;
  Deno.openSync = (path, options) => {
    if (path !== file) return openSync(path, options);
    if (seen) throw new Deno.errors.NotFound("the file is gone");
    seen = true;
    return openSync(path, options);
  };
  return { [Symbol.dispose]: () => void (Deno.openSync = openSync) };
}

Deno.test("a turn that is cancelled while it has an agent ends as cancelled, with its tokens", async () => {
  await using rig = await fakeRig({ acts: [...withAgent(500), { hang: true }] });
  const turn = rig.turn();
  await turn.until("text_delta");
  turn.cancel();
  const { stop_reason, usage } = await turn.end;
  assert.deepEqual([stop_reason, usage.input_tokens, usage.output_tokens], ["cancelled", 500, 5]);
  assert.deepEqual(turn.events.filter(({ type }) => type === "error"), []);
});

Deno.test("a turn that runs into a limit while it has an agent says so, with its tokens", async () => {
  await using rig = await fakeRig({ acts: [...withAgent(500), { hang: true }] });
  rig.settings.limits.silence = 100;
  const turn = rig.turn();
  const { stop_reason, usage } = await turn.end;
  assert.deepEqual([stop_reason, usage.input_tokens], ["error", 500]);
  assert.equal((await turn.until("error")).error.kind, "timeout");
});

Deno.test("an agent whose session file goes while it is read is in the log, and its turn is a good one", async () => {
  await using rig = await fakeRig({ acts: [...withAgent(500), completed({ inputTokens: 500 })] });
  const sessions = join(rig.sandbox.codexHome, "sessions/2025/10/01");
  await Deno.mkdir(sessions, { recursive: true });
  const file = join(sessions, `rollout-2025-10-01T00-00-00-${AGENT}.jsonl`);
  const meta = { type: "session_meta", payload: { id: AGENT, cwd: "/" } };
  await Deno.writeTextFile(file, `${JSON.stringify(meta)}\n`);
  using _gone = goesOnceSeen(file);
  const turn = rig.turn();
  const { stop_reason, usage } = await turn.end;
  assert.deepEqual([stop_reason, usage.input_tokens], ["end_turn", 500]);
  assert.deepEqual(turn.events.filter(({ type }) => type === "error"), []);
  const warnings = rig.logs.filter(({ level }) => level === "warning");
  assert.match(warnings.map(({ data }) => String(data?.error)).join(), /the file is gone/);
});

for (const stop of ["cancelled", "error"] as const) {
  Deno.test(`a turn whose thread cannot be remembered ends with that, as ${stop} and with its tokens`, async () => {
    const rest: Act[] = stop === "cancelled" ? [{ hang: true }] : [completed({ inputTokens: 500 })];
    await using rig = await fakeRig({ acts: [...withAgent(500), ...rest] });
    const state = join(rig.sandbox.profile, "state");
    const turn = rig.turn({}, async ({ type }) => {
      if (type !== "text_delta") return;
      await Deno.remove(state, { recursive: true });
      await Deno.writeTextFile(state, "not a directory");
    });
    await turn.until("text_delta");
    if (stop === "cancelled") turn.cancel();
    const { stop_reason, usage } = await turn.end;
    assert.deepEqual([stop_reason, usage.input_tokens], [stop, 500]);
    assert.match((await turn.until("error")).error.message, /the turn broke off/);
  });
}

Deno.test("a turn that is cancelled before it begins names the thread that it would have resumed", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  const { thread_id } = await rig.turn().end;
  const turn = rig.turn();
  turn.cancel();
  const end = await turn.end;
  assert.deepEqual([end.stop_reason, end.thread_id], ["cancelled", thread_id]);
  assert.equal((await rig.codex.runs()).length, 1);
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

const LIMITS: WatchLimits = { start: 10, silence: 100, toolSilence: 1000, reconnect: 50, total: 0 };

function watched(limits: Partial<WatchLimits> = {}) {
  const clock = new ManualClock();
  const expired: [Watch, number][] = [];
  const watchdog = new Watchdog(
    { ...LIMITS, ...limits },
    (watch) => expired.push([watch, clock.now()]),
    clock,
  );
  return { clock, watchdog, expired };
}

Deno.test("Watchdog ends a codex that does not announce its thread", () => {
  const { clock, watchdog, expired } = watched();
  watchdog.progress(); // lines before the announcement do not count
  clock.pass(9);
  assert.deepEqual(expired, []);
  clock.pass(1);
  assert.deepEqual(expired, [["start", 10]]);
});

Deno.test("Watchdog ends a silent codex, and every sign of life pushes that back", () => {
  const { clock, watchdog, expired } = watched();
  clock.pass(5);
  watchdog.started();
  for (let i = 0; i < 20; i++) {
    clock.pass(99);
    watchdog.sign();
  }
  clock.pass(99);
  assert.deepEqual(expired, []);
  clock.pass(1);
  assert.deepEqual(expired, [["silence", 5 + 21 * 99 + 1]]);
});

Deno.test("Watchdog is patient while a tool runs", () => {
  const { clock, watchdog, expired } = watched();
  watchdog.started();
  watchdog.tools(true);
  clock.pass(999);
  assert.deepEqual(expired, []);
  watchdog.tools(false);
  clock.pass(99);
  assert.deepEqual(expired, []);
  clock.pass(1);
  assert.deepEqual(expired, [["silence", 1099]]);
});

Deno.test("Watchdog ends a codex whose tool is silent for too long", () => {
  const { clock, watchdog, expired } = watched();
  watchdog.started();
  watchdog.tools(true);
  clock.pass(1000);
  assert.deepEqual(expired, [["toolSilence", 1000]]);
});

Deno.test("Watchdog ends a codex that goes on reconnecting", () => {
  const { clock, watchdog, expired } = watched();
  watchdog.started();
  watchdog.reconnecting();
  clock.pass(49);
  watchdog.reconnecting();
  clock.pass(1);
  assert.deepEqual(expired, [], "the connection may stand by now");
  watchdog.reconnecting();
  assert.deepEqual(expired, [["reconnect", 50]]);
});

Deno.test("Watchdog lets a model think after a reconnect that worked", () => {
  const { clock, watchdog, expired } = watched();
  watchdog.started();
  watchdog.reconnecting();
  clock.pass(90);
  watchdog.progress();
  watchdog.reconnecting();
  clock.pass(40);
  watchdog.reconnecting();
  assert.deepEqual(expired, []);
});

Deno.test("Watchdog counts the whole turn when told to, signs of life or not", () => {
  const { clock, watchdog, expired } = watched({ total: 300 });
  watchdog.started();
  for (let i = 0; i < 10 && expired.length === 0; i++) {
    clock.pass(50);
    watchdog.progress();
  }
  assert.deepEqual(expired, [["total", 300]]);
});

Deno.test("Watchdog does not take the host's silence for codex's", () => {
  const { clock, watchdog, expired } = watched();
  watchdog.started();
  watchdog.pause(true);
  clock.pass(5000);
  assert.deepEqual(expired, []);
  watchdog.pause(false);
  clock.pass(99);
  assert.deepEqual(expired, []);
  clock.pass(1);
  assert.equal(expired[0]?.[0], "silence");
});

Deno.test("Watchdog has no limit where it is 0", () => {
  const limits = { start: 0, silence: 0, toolSilence: 0, reconnect: 0, total: 0 };
  const { clock, watchdog, expired } = watched(limits);
  watchdog.started();
  for (let i = 0; i < 5; i++) {
    clock.pass(10 ** 9);
    watchdog.reconnecting();
    watchdog.tools(i % 2 === 0);
  }
  assert.deepEqual(expired, []);
  assert.equal(clock.alarms, 0);
});

Deno.test("Watchdog fires once, and never after it was disposed of", () => {
  const first = watched();
  first.clock.pass(10);
  first.watchdog.started();
  first.clock.pass(10_000);
  assert.equal(first.expired.length, 1);

  const second = watched();
  second.watchdog[Symbol.dispose]();
  second.watchdog.started();
  second.clock.pass(10_000);
  assert.deepEqual(second.expired, []);
  assert.equal(second.clock.alarms, 0);
});

Deno.test("Watchdog waits longer than a timer can", () => {
  const week = 7 * 24 * 3_600_000;
  const { clock, watchdog, expired } = watched({ silence: 8 * week });
  watchdog.started();
  clock.pass(8 * week - 1);
  assert.deepEqual(expired, []);
  clock.pass(1);
  assert.equal(expired.length, 1);
});

Deno.test("Watchdog does not count the time in which the plugin itself was stopped", () => {
  const { clock, watchdog, expired } = watched({ silence: 2000 });
  watchdog.started();
  clock.pass(1000);
  clock.sleep(60_000);
  assert.deepEqual(expired, [], "what codex said meanwhile waits in the pipe");
  clock.pass(400);
  assert.deepEqual(expired, []);
  clock.pass(60_000);
  assert.equal(expired.length, 1, "a codex that stays silent is ended all the same");
});

Deno.test("Watchdog forgives once what woke it late, until there is a sign of life", () => {
  const { clock, watchdog, expired } = watched({ silence: 2000 });
  watchdog.started();
  clock.sleep(60_000);
  watchdog.sign();
  clock.sleep(60_000);
  assert.deepEqual(expired, []);
  clock.sleep(60_000);
  assert.equal(expired[0]?.[0], "silence");
});

Deno.test("Watchdog never moves the limit of the whole turn", () => {
  const { clock, watchdog, expired } = watched({ silence: 2000, total: 3000 });
  watchdog.started();
  clock.sleep(2500);
  watchdog.restart();
  watchdog.started();
  clock.sleep(600);
  assert.equal(expired[0]?.[0], "total");
});

import { strict as assert } from "node:assert";
import { type Watch, Watchdog, type WatchLimits } from "../../runner/stop.ts";
import { ManualClock } from "./manual_clock.ts";

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

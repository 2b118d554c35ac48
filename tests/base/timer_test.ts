import { strict as assert } from "node:assert";
import {
  pause,
  SharedWork,
  startTimer,
  Turnstile,
  unlessAborted,
  within,
} from "../../base/timer.ts";

const never = new Promise<never>(() => {});

Deno.test("startTimer waits for lengths that the runtime's own timer takes for zero", async () => {
  for (const ms of [3_000_000_000, 2 ** 53, Infinity]) {
    let fired = false;
    const stop = startTimer(ms, () => fired = true);
    await pause(20);
    stop();
    assert.equal(fired, false, `${ms}`);
  }
});

Deno.test("within tells whether the event came in time", async () => {
  assert.equal(await within(1, never), false);
  assert.equal(await within(3_000_000_000, pause(5)), true);
  await assert.rejects(within(1000, Promise.reject(new Error("broke"))), /broke/);
});

Deno.test("pause ends with its signal", async () => {
  const control = new AbortController();
  const paused = pause(3_000_000_000, control.signal);
  control.abort();
  await paused;
  await pause(3_000_000_000, control.signal);
});

Deno.test("unlessAborted leaves work behind that goes on", async () => {
  const control = new AbortController();
  const work = Promise.withResolvers<string>();
  const left = unlessAborted(work.promise, control.signal);
  control.abort(new Error("no longer wanted"));
  await assert.rejects(left, /no longer wanted/);
  work.resolve("done");
  assert.equal(await unlessAborted(work.promise), "done");
  await assert.rejects(unlessAborted(Promise.reject(new Error("late")), control.signal), /wanted/);
});

Deno.test("SharedWork goes on as long as anybody waits, and is given up by the last", async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const work = new SharedWork((stop) => unlessAborted(never, stop));
  const waiting = [work.wait(one.signal), work.wait(other.signal)];
  one.abort(new Error("one"));
  await assert.rejects(waiting[0] ?? never, /one/);
  assert.equal(work.givenUp, false);
  other.abort(new Error("other"));
  await assert.rejects(waiting[1] ?? never, /other/);
  assert.equal(work.givenUp, true);
  const done = new SharedWork(() => Promise.resolve("done"));
  assert.equal(await done.wait(), "done");
  assert.equal(await done.wait(), "done");
  assert.equal(done.givenUp, false);
});

Deno.test("SharedWork has stopped when the last who waited is told that it was given up", async () => {
  const control = new AbortController();
  const stopping = Promise.withResolvers<void>();
  let stopped = false;
  const work = new SharedWork(async (stop) => {
    await unlessAborted(never, stop).catch(() => {});
    await stopping.promise;
    stopped = true;
  });
  const waiting = work.wait(control.signal);
  control.abort(new Error("nobody waits"));
  stopping.resolve();
  await assert.rejects(waiting, /nobody waits/);
  assert.ok(stopped);
});

Deno.test("Turnstile lets the first through at once, and the loop go round before each other", async () => {
  const turnstile = new Turnstile();
  const round = () => new Promise((resolve) => setTimeout(resolve, 0));
  let passed = 0;
  const all = [1, 2, 3].map(() => turnstile.pass().then(() => void passed++));
  await all[0];
  assert.equal(passed, 1);
  await round();
  assert.equal(passed, 2);
  await Promise.all(all);
  await round();
});

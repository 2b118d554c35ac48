import { strict as assert } from "node:assert";
import { Notices } from "../../runner/told_once.ts";

Deno.test("Notices leave out what turns out to be the reason of the failure", () => {
  const notices = new Notices();
  assert.deepEqual(notices.notice("no model"), []);
  assert.deepEqual(notices.failed("no model"), []);
  assert.deepEqual(notices.flush(), []);
  assert.equal(notices.last, undefined);
});

Deno.test("Notices tell what is followed by another reason, by something else, or by nothing", () => {
  const notices = new Notices();
  assert.deepEqual(notices.notice("one"), []);
  assert.deepEqual(notices.failed("two"), ["one"]);
  assert.deepEqual(notices.notice("three"), []);
  assert.deepEqual(notices.notice("four"), ["three"]);
  assert.deepEqual(notices.flush(), ["four"]);
});

Deno.test("Notices that codex reconnects are told at once, and each time", () => {
  const notices = new Notices();
  const again = "Reconnecting... 1/2 (stream disconnected)";
  assert.deepEqual(notices.notice("before"), []);
  assert.deepEqual(notices.notice(again), ["before", again]);
  assert.deepEqual(notices.notice(again), [again]);
  assert.equal(notices.last, again);
});

Deno.test("Notices that are printed twice are told once, warnings once in a turn", () => {
  const notices = new Notices();
  assert.deepEqual(notices.notice("same"), []);
  assert.deepEqual(notices.notice("same"), []);
  assert.deepEqual(notices.flush(), ["same"]);
  assert.deepEqual(notices.warning("metadata not found"), ["metadata not found"]);
  assert.deepEqual(notices.warning("long thread"), ["long thread"]);
  assert.deepEqual(notices.warning("metadata not found"), []);
});

Deno.test("Notices forget nothing to tell of a codex that warns without end", () => {
  const notices = new Notices();
  for (let n = 0; n < 300; n++) assert.deepEqual(notices.warning(`w${n}`), [`w${n}`]);
});

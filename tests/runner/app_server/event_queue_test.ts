/** What waits between codex and the host. */
import { strict as assert } from "node:assert";
import { EventQueue } from "../../../runner/app_server/event_queue.ts";

Deno.test("EventQueue lets on everybody who waits for room, not only the last to come", async () => {
  const queue = new EventQueue(() => {});
  const pushed = Array.from({ length: 80 }, () => queue.push({ type: "alive" }));
  let read = 0;
  const reading = (async () => {
    for await (const _ of queue) if (++read === 80) queue.end();
  })();
  await Promise.all(pushed);
  await reading;
  assert.equal(read, 80);
});

Deno.test("EventQueue lets go of everybody at its end, and tells what came before", async () => {
  const queue = new EventQueue(() => {});
  const pushed = Array.from({ length: 70 }, () => queue.push({ type: "alive" }));
  queue.end();
  await Promise.all(pushed);
  assert.equal((await Array.fromAsync(queue)).length, 70);
});

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { ChildOutput, Tail } from "../../base/child_output.ts";
import { ManualClock } from "../runner/manual_clock.ts";

/** A pipe that the test writes into. */
function pipe() {
  let control: ReadableByteStreamController | undefined;
  const stream = new ReadableStream<Uint8Array>({
    type: "bytes",
    start: (controller) => {
      if ("byobRequest" in controller) control = controller;
    },
  });
  const clock = new ManualClock();
  const chunks = new ChildOutput(stream, clock);
  const encoder = new TextEncoder();
  return {
    stdout: chunks,
    clock,
    write: (text: string) => control?.enqueue(encoder.encode(text)),
    close: () => {
      control?.close();
      control?.byobRequest?.respond(0);
    },
  };
}

const text = ({ value }: IteratorResult<Uint8Array>) => new TextDecoder().decode(value);

Deno.test("ChildOutput reads to the end", async () => {
  const { stdout, write, close } = pipe();
  const chunks = stdout.chunks();
  write("one");
  assert.equal(text(await chunks.next()), "one");
  const next = chunks.next();
  write("two");
  assert.equal(text(await next), "two");
  stdout.childGone();
  const last = chunks.next();
  close();
  assert.equal((await last).done, true);
});

Deno.test("ChildOutput gives up a pipe that a stranger holds open, but not at once", async () => {
  const { stdout, clock, write } = pipe();
  const chunks = stdout.chunks();
  const waiting = chunks.next();
  stdout.childGone();
  clock.pass(299);
  write("still from the child");
  assert.equal(text(await waiting), "still from the child");
  assert.equal(clock.alarms, 0);
  const next = chunks.next();
  await Promise.resolve(); // the read has begun
  clock.pass(300);
  assert.equal((await next).done, true);
});

Deno.test("ChildOutput gives up a pipe that a stranger writes into now and again", async () => {
  const { stdout, clock, write } = pipe();
  const chunks = stdout.chunks();
  stdout.childGone();
  for (let n = 0; n < 19; n++) {
    const next = chunks.next();
    await Promise.resolve();
    clock.pass(100);
    write("not codex");
    assert.equal((await next).done, false, `after ${n * 100} ms`);
  }
  const last = chunks.next();
  await Promise.resolve();
  clock.pass(100);
  assert.equal((await last).done, true);
});

Deno.test("ChildOutput reads no more than a pipe can hold when the child is gone", async () => {
  const { stdout, write } = pipe();
  const chunks = stdout.chunks();
  stdout.childGone();
  let bytes = 0;
  for (;;) {
    write("y\n".repeat(4096));
    const { value, done } = await chunks.next();
    if (done) break;
    bytes += value.length;
  }
  assert.equal(bytes, 256 * 1024);
});

Deno.test("ChildOutput leaves a slow reader all the time, and loses nothing", async () => {
  const { stdout, clock, write } = pipe();
  const chunks = stdout.chunks();
  write("one");
  assert.equal(text(await chunks.next()), "one");
  write("two");
  stdout.childGone();
  clock.pass(1_000_000);
  assert.equal(text(await chunks.next()), "two");
  await stdout.close();
  assert.equal((await chunks.next()).done, true);
});

Deno.test("Tail keeps the last bytes, whatever the chunks", () => {
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 30 })), fc.nat(40), (chunks, limit) => {
    const encoder = new TextEncoder();
    const tail = new Tail(limit);
    for (const chunk of chunks) tail.push(encoder.encode(chunk));
    const all = encoder.encode(chunks.join(""));
    const last = all.subarray(Math.max(0, all.length - limit));
    assert.equal(tail.text(), new TextDecoder().decode(last));
  }));
});

Deno.test("Tail is text without colours, and can be begun anew", () => {
  const tail = new Tail(100);
  tail.push(new TextEncoder().encode("\x1b[2m2026\x1b[0m \x1b[31mERROR\x1b[0m no"));
  assert.equal(tail.text(), "2026 ERROR no");
  tail.clear();
  assert.equal(tail.text(), "");
});

import { strict as assert } from "node:assert";
import fc from "fast-check";
import { decodeFrame, FrameWriter } from "../../../base/jsonrpc/frame.ts";

const DEEP = "[".repeat(50_000) + "]".repeat(50_000);

Deno.test("frame with an id deeper than the stack is refused like any other odd id", () => {
  const frame = decodeFrame(new TextEncoder().encode(`{"id":${DEEP},"method":"turn"}`));
  assert.ok(frame.type === "broken");
  assert.match(frame.error.message, /^an id must be .*, found array$/);
});

Deno.test("frame that is one long text is not quoted back whole", () => {
  const frame = decodeFrame(new TextEncoder().encode(JSON.stringify("x".repeat(100_000))));
  assert.ok(frame.type === "broken");
  assert.match(frame.error.message, /^a frame must be a JSON object, found string "x{20,60}…$/);
});

Deno.test("answer nested deeper than anything recursive can bear is an error for whoever waits for it", () => {
  for (const answer of [`"result":${DEEP}`, `"error":{"code":1,"message":"m","data":${DEEP}}`]) {
    const frame = decodeFrame(new TextEncoder().encode(`{"id":7,${answer}}`));
    assert.ok(frame.type === "response" && frame.error !== undefined);
    assert.match(frame.error.message, /^(the answer is nested more than 1000 levels deep|m)$/);
    assert.equal(frame.error.data, undefined);
  }
});

/*
 * The write queue: order, no interleaving, the reader's pace, and a reader that is gone.
 */

/** A sink that takes a write only when the test says so. */
class Sink {
  readonly chunks: string[] = [];
  #gates: PromiseWithResolvers<void>[] = [];

  readonly write = (bytes: Uint8Array): Promise<void> => {
    this.chunks.push(new TextDecoder().decode(bytes));
    const gate = Promise.withResolvers<void>();
    this.#gates.push(gate);
    return gate.promise;
  };

  /** Writes that are under way. */
  get open(): number {
    return this.#gates.length;
  }

  take(): void {
    this.#gates.shift()?.resolve();
  }

  break(error: Error): void {
    this.#gates.shift()?.reject(error);
  }
}

/** Whether the promise has settled once everything that can happen now has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  return done;
}

Deno.test("writer keeps the order, whatever the reader's pace, and never has two writes open", async () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 30 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(texts, fc.infiniteStream(fc.boolean()), async (texts, takes) => {
      const sink = new Sink();
      const writer = new FrameWriter(sink.write, { highWater: 40, backlog: 1000 });
      for (const text of texts) {
        void writer.send({ text });
        assert.ok(sink.open <= 1);
        if (takes.next().value) sink.take();
        await Promise.resolve();
      }
      const flushed = writer.flushed();
      while (!await settled(flushed)) sink.take();
      assert.equal(
        sink.chunks.join(""),
        texts.map((text) => `${JSON.stringify({ text })}\n`).join(""),
      );
    }),
    { numRuns: 50 },
  );
});

Deno.test("writer sends the first frame at once and what came meanwhile together", async () => {
  const sink = new Sink();
  const writer = new FrameWriter(sink.write);
  for (const n of [1, 2, 3]) void writer.send(n);
  assert.deepEqual(sink.chunks, ["1\n"]);
  sink.take();
  await settled(Promise.resolve());
  assert.deepEqual(sink.chunks, ["1\n", "2\n3\n"]);
});

Deno.test("send passes on the pace of a slow reader, and no more than that", async () => {
  const sink = new Sink();
  const writer = new FrameWriter(sink.write, { highWater: 20, backlog: 1000 });
  assert.ok(await settled(writer.send("x".repeat(10))), "one frame is under way, none waits");
  assert.ok(await settled(writer.send("y".repeat(10))));
  const slow = writer.send("z".repeat(10));
  assert.equal(await settled(slow), false, "26 bytes wait");
  sink.take();
  assert.equal(await settled(slow), false, "its batch is under way");
  assert.ok(await settled(writer.send("another producer")), "the queue was emptied for the batch");
  sink.take();
  assert.ok(await settled(slow), "it does not wait for frames that came after it");
});

Deno.test("room is there until the backlog is over its limit, and again when it is written", async () => {
  const sink = new Sink();
  const writer = new FrameWriter(sink.write, { highWater: 5, backlog: 30 });
  void writer.send("under way");
  void writer.send("x".repeat(20));
  assert.ok(await settled(writer.room()));
  void writer.send("y".repeat(20));
  const room = writer.room();
  assert.equal(await settled(room), false);
  sink.take();
  assert.equal(await settled(room), false);
  sink.take();
  assert.ok(await settled(room));
});

Deno.test("writer whose reader is gone drops everything, rejects nothing and says why", async () => {
  const sink = new Sink();
  const writer = new FrameWriter(sink.write, { highWater: 5, backlog: 10 });
  assert.equal(writer.failure, undefined);
  void writer.send("under way");
  const waiting = writer.send("x".repeat(20));
  const room = writer.room();
  const gone = new Error("EPIPE");
  sink.break(gone);
  await Promise.all([waiting, room, writer.flushed()]);
  assert.equal(writer.failure, gone);
  await writer.send("z".repeat(20));
  await writer.room();
  assert.deepEqual(sink.chunks, ['"under way"\n']);
});

Deno.test("flushed is immediate when nothing waits", async () => {
  const writer = new FrameWriter(() => Promise.resolve());
  assert.ok(await settled(writer.flushed()));
  await writer.send(1);
  await writer.flushed();
});

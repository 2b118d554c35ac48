/**
 * What a child prints, read at the reader's pace, which ends even when somebody else holds the pipe.
 *
 * @module
 */
import { type Clock, Slices, wallClock } from "./timer.ts";

/**
 * A quarter of a pipe. V8 frees a buffer with its next large collection only, some hundred turns later:
 * with 64 KiB, and the buffers that Deno makes for those who bring none, a plugin had 161 MiB after 1,500
 * turns instead of 105. So those that come back at the end of a pipe are used again.
 */
const READ_BYTES = 16 * 1024;
/** Buffers that wait for the next child; at most {@link SPARES_MAX}. */
const spares: Uint8Array<ArrayBuffer>[] = [];
const SPARES_MAX = 32;
/** How long the pipe may stay open and silent after the child is gone. */
const HELD_MS = 300;
/** How long it is waited for then in all: a stranger may say something now and again. */
const HELD_TOTAL_MS = 2_000;
/** How much is read then. What the child itself left has room in the pipe, which holds 64 KiB as a rule. */
const HELD_BYTES = 256 * 1024;

/** A read that took longer had to wait, and others ran. */
const WAITED_MS = 1;

/** Reads one stdout or stderr. */
export class ChildOutput {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #clock: Clock;
  /** The read that is waiting now. */
  #reading: Promise<unknown> | undefined;
  #childGone = false;
  #bytesLeft = HELD_BYTES;
  #msLeft = HELD_TOTAL_MS;

  constructor(stream: ReadableStream<Uint8Array>, clock: Clock = wallClock) {
    this.#clock = clock;
    this.#reader = stream.getReader({ mode: "byob" });
  }

  /**
   * Chunks until the end; a chunk is valid until the next one is asked for. Nothing is read ahead: a
   * slow consumer fills the pipe, and the child waits.
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    let buffer = spares.pop() ?? new Uint8Array(READ_BYTES);
    let slices = new Slices();
    while (this.#bytesLeft > 0) {
      const asked = performance.now();
      const reading = this.#reader.read(buffer);
      this.#reading = reading;
      if (this.#childGone) this.#endWhenHeld();
      const { value, done } = await reading;
      this.#reading = undefined;
      if (done) {
        // After a cancel there is none to give back.
        if (value !== undefined && spares.length < SPARES_MAX) {
          spares.push(new Uint8Array(value.buffer));
        }
        return;
      }
      // A pipe that is never empty is read without the loop ever turning.
      if (performance.now() - asked > WAITED_MS) slices = new Slices();
      else if (slices.due) await slices.next();
      if (this.#childGone) this.#bytesLeft -= value.length;
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
    await this.close();
  }

  /** The child is gone: from now on a read that waits, waits for a stranger. */
  childGone(): void {
    this.#childGone = true;
    this.#endWhenHeld();
  }

  /** Ends {@link chunks}. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  #endWhenHeld(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    const since = this.#clock.now();
    const calm = this.#clock.after(
      Math.min(HELD_MS, this.#msLeft),
      () => void this.close(),
    );
    const over = (): void => {
      calm();
      this.#msLeft = Math.max(0, this.#msLeft - (this.#clock.now() - since));
    };
    reading.then(over, over);
  }
}

/** Programs colour what they say also where nobody sees it. */
// deno-lint-ignore no-control-regex
const COLOUR = /\x1b\[[\d;]*m/g;

/** Keeps the last `limit` bytes of what is pushed, of a stream that may be endless. */
export class Tail {
  #bytes = new Uint8Array(0);

  constructor(readonly limit: number) {}

  /** Adds a chunk; its bytes are copied. */
  push(chunk: Uint8Array): void {
    const kept = new Uint8Array(Math.min(this.limit, this.#bytes.length + chunk.length));
    const added = chunk.subarray(Math.max(0, chunk.length - kept.length));
    kept.set(this.#bytes.subarray(this.#bytes.length - (kept.length - added.length)));
    kept.set(added, kept.length - added.length);
    this.#bytes = kept;
  }

  /** Keeps nothing of what came so far. */
  clear(): void {
    this.#bytes = new Uint8Array(0);
  }

  /** What was kept, as text, without colours. */
  text(): string {
    return new TextDecoder().decode(this.#bytes).replaceAll(COLOUR, "");
  }
}

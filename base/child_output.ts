/**
 * What a child prints, read at the reader's pace, which ends even when somebody else holds the pipe.
 *
 * @module
 */
import { type Clock, wallClock } from "./clock.ts";

/**
 * A quarter of a pipe. The buffer waits as long as the child lives, and V8 then frees it with its next
 * large collection only, some hundred turns later: with 64 KiB, and the buffers that Deno makes for
 * those who bring none, a plugin had 161 MiB after 1,500 turns instead of 105.
 */
const READ_BYTES = 16 * 1024;
/** How long the pipe may stay open and silent after the child is gone. */
const HELD_MS = 300;

/** Reads one stdout or stderr. */
export class ChildOutput {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #clock: Clock;
  /** The read that is waiting now. */
  #reading: Promise<unknown> | undefined;
  #childGone = false;

  constructor(stream: ReadableStream<Uint8Array>, clock: Clock = wallClock) {
    this.#clock = clock;
    this.#reader = stream.getReader({ mode: "byob" });
  }

  /**
   * Chunks until the end; a chunk is valid until the next one is asked for. Nothing is read ahead: a
   * slow consumer fills the pipe, and the child waits.
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    let buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const reading = this.#reader.read(buffer);
      this.#reading = reading;
      if (this.#childGone) this.#endWhenHeld();
      const { value, done } = await reading;
      this.#reading = undefined;
      if (done) return;
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
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
    const calm = this.#clock.after(HELD_MS, () => void this.close());
    reading.then(calm, calm);
  }
}

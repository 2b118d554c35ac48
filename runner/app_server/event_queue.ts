/**
 * Events between the one who reads codex and the one who tells the host: a few may wait, then codex
 * is not read on.
 *
 * @module
 */
import type { CodexEvent } from "../transport.ts";

/** So many may wait. */
const ROOM = 64;

/** A bounded queue with one reader, which is the {@link CodexRun.events} of a run. */
export class EventQueue implements AsyncIterable<CodexEvent> {
  readonly #waiting: CodexEvent[] = [];
  readonly #onLeft: () => void;
  #over = false;
  #wakeReader: () => void = () => {};
  /** Who waits for room; codex is read on while its answer to a request is still being told. */
  readonly #writers: (() => void)[] = [];

  /** `onLeft` is called when the reader goes before the end. */
  constructor(onLeft: () => void) {
    this.#onLeft = onLeft;
  }

  /** Adds one; resolves when there is room for another. What comes after the end is dropped. */
  async push(event: CodexEvent): Promise<void> {
    if (this.#over) return;
    this.#waiting.push(event);
    this.#wakeReader();
    while (this.#waiting.length >= ROOM && !this.#over) {
      await new Promise<void>((resolve) => this.#writers.push(resolve));
    }
  }

  /** No more will come; what waits can still be had. */
  end(): void {
    this.#over = true;
    this.#wakeReader();
    this.#wakeWriters();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CodexEvent> {
    let left = true;
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event !== undefined) {
          this.#wakeWriters();
          yield event;
        } else if (this.#over) {
          left = false;
          return;
        } else {
          await new Promise<void>((resolve) => this.#wakeReader = resolve);
        }
      }
    } finally {
      if (left) {
        this.end();
        this.#onLeft();
      }
    }
  }

  #wakeWriters(): void {
    for (const wake of this.#writers.splice(0)) wake();
  }
}

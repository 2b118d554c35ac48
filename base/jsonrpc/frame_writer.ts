/**
 * The outgoing side of a JSON-RPC stream: frames are queued, never interleaved, and written together
 * when the reader is slower than we are.
 *
 * @module
 */
import { joinBytes } from "../lines.ts";
import { stringify } from "../raw_json.ts";

/** How many bytes may wait for a slow reader. */
export interface WriterLimits {
  /** Beyond this, {@link FrameWriter.send} asks its caller to slow down. */
  highWater: number;
  /** Beyond this, {@link FrameWriter.room} says that nothing more should be taken on. */
  backlog: number;
}

const LIMITS: WriterLimits = { highWater: 256 * 1024, backlog: 64 * 1024 * 1024 };

/** Frames that are written together. */
class Batch {
  readonly parts: Uint8Array[] = [];
  readonly written: PromiseWithResolvers<void> = Promise.withResolvers();
  bytes = 0;
}

/** Serialises frames onto one byte sink. */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #limits: WriterLimits;
  readonly #encoder = new TextEncoder();
  #waiting = new Batch();
  #flushing: Promise<void> | undefined;
  #failure: unknown;

  /** @param write Writes all the bytes it is given, or rejects; called by one caller at a time. */
  constructor(write: (bytes: Uint8Array) => Promise<void>, limits: WriterLimits = LIMITS) {
    this.#write = write;
    this.#limits = limits;
  }

  /**
   * Queues one frame. Resolves at once while the reader keeps up; with more than `highWater` bytes
   * waiting, when this frame has been written: whoever awaits it passes the reader's pace on to
   * whatever produces the frames. Never rejects: a dead reader is the stream's end, see `failure`.
   */
  send(frame: unknown): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    const bytes = this.#encoder.encode(stringify(frame) + "\n");
    const batch = this.#waiting;
    batch.parts.push(bytes);
    batch.bytes += bytes.length;
    this.#flushing ??= this.#flush();
    return batch.bytes > this.#limits.highWater ? batch.written.promise : Promise.resolve();
  }

  /** Resolves at once, or with more than `backlog` bytes waiting, when they have been written. */
  async room(): Promise<void> {
    if (this.#waiting.bytes > this.#limits.backlog) await this.#waiting.written.promise;
  }

  /** Resolves when everything queued so far has been written, or can never be. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  /** Why the sink no longer takes anything; `undefined` while it does. */
  get failure(): unknown {
    return this.#failure;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.parts.length > 0) {
      const batch = this.#waiting;
      this.#waiting = new Batch();
      try {
        if (this.#failure === undefined) await this.#write(joined(batch.parts));
      } catch (error) {
        this.#failure = error;
      } finally {
        batch.written.resolve();
      }
    }
    this.#flushing = undefined;
  }
}

/** One part is written as it is. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : joinBytes(parts);
}

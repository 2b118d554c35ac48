/**
 * The outgoing side of a JSON-RPC stream: frames are queued, never interleaved, and written together
 * when the reader is slower than we are.
 *
 * @module
 */

/** Bytes that may wait before {@link FrameWriter.send} asks its caller to slow down. */
const HIGH_WATER = 256 * 1024;

/** Serialises frames onto one byte sink. */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #flushing: Promise<void> | undefined;
  #failure: unknown;

  /** @param write Writes all the bytes it is given, or rejects; called by one caller at a time. */
  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /**
   * Queues one frame. Resolves at once while the reader keeps up, and only when the queue has been
   * written once it holds more than 256 KiB: whoever awaits it passes the reader's pace on to
   * whatever produces the frames. Never rejects: a dead reader is the stream's end, see `failure`.
   */
  send(frame: unknown): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    const bytes = this.#encoder.encode(JSON.stringify(frame) + "\n");
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    const flushing = this.#flushing ??= this.#flush();
    return this.#waitingBytes > HIGH_WATER ? flushing : Promise.resolve();
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
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        this.#waitingBytes = 0;
        await this.#write(concat(batch));
      }
    } catch (error) {
      this.#failure = error;
      this.#waiting = [];
    } finally {
      this.#flushing = undefined;
    }
  }
}

function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

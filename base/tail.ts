/**
 * The last bytes of a stream that may be endless.
 *
 * @module
 */

/** Keeps the last `limit` bytes of what is pushed. */
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

  /** What was kept, as text. */
  text(): string {
    return new TextDecoder().decode(this.#bytes);
  }
}

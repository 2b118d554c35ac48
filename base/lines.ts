/**
 * JSONL as bytes: a stream of chunks in, whole lines out.
 *
 * Only the byte 0x0A ends a line. U+2028 and a split UTF-8 sequence are data, which is why nothing
 * is decoded here. The cost is linear in the bytes received, whatever the chunk sizes: a line that
 * lies inside one chunk is a view of it, a line that spans chunks is copied once, when it is whole.
 *
 * @module
 */

/** A line without its newline, or a note that one longer than the limit was passed over. */
export type Line = { bytes: Uint8Array; overlong?: undefined } | { overlong: number };

/** Splits chunks at 0x0A and holds at most `maxBytes` of an unfinished line. */
export class LineSplitter {
  readonly #maxBytes: number;
  #carry: Uint8Array[] = [];
  #carried = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that `chunk` completes, oldest first. The bytes of a line may be a view of `chunk`:
   * use them before the buffer behind it is reused.
   */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield this.#complete(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The unterminated rest at the end of the stream, or `undefined` where the last line was whole. */
  end(): Line | undefined {
    return this.#carried === 0 ? undefined : this.#complete(new Uint8Array(0));
  }

  #keep(part: Uint8Array): void {
    this.#carried += part.length;
    if (this.#carried > this.#maxBytes) this.#carry = [];
    else this.#carry.push(part.slice());
  }

  #complete(tail: Uint8Array): Line {
    const length = this.#carried + tail.length;
    const carry = this.#carry;
    this.#carry = [];
    this.#carried = 0;
    if (length > this.#maxBytes) return { overlong: length };
    if (carry.length === 0) return { bytes: tail };
    return { bytes: joinBytes([...carry, tail]) };
  }
}

/** The parts as one, copied. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

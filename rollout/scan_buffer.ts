/**
 * The buffer a file is scanned in: memory that is searched wide, or an array where there is none.
 *
 * @module
 */
import { WIDE_MEMORY_BYTES, type WideMemory, wideMemory } from "../base/wide_memory.ts";

const NEWLINE = 10;

/** Bytes a new buffer has. */
export const SCAN_BUFFER_BYTES = WIDE_MEMORY_BYTES;

/** One buffer is kept for the next scan; making a memory costs more than a small scan. */
let spare: WideMemory | undefined;

/** A buffer of `SCAN_BUFFER_BYTES` or more, with whatever is in it. */
export function takeScanBuffer(): WideMemory {
  const buffer = spare ?? wideMemory() ?? plainBuffer();
  spare = undefined;
  return buffer;
}

/** Gives a buffer back. A large one is let go. */
export function giveBack(buffer: WideMemory): void {
  if (buffer.bytes.length <= 4 * SCAN_BUFFER_BYTES) spare = buffer;
}

/** A buffer that searches with `indexOf`. */
export function plainBuffer(): WideMemory {
  return {
    bytes: new Uint8Array(SCAN_BUFFER_BYTES),
    newline(from, to) {
      const found = this.bytes.indexOf(NEWLINE, from);
      return found < to ? found : -1;
    },
    grow(length) {
      const larger = new Uint8Array(length);
      larger.set(this.bytes);
      this.bytes = larger;
    },
  };
}

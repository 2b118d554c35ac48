/**
 * Memory that is searched sixteen bytes at a time.
 *
 * `Uint8Array.indexOf` compares byte by byte, 1.4 to 2 GB/s here, a quarter of what the page cache gives,
 * and a call of it for each escape of a JSON string costs as much as twenty bytes. So the two searches
 * that all bytes of a session go through are 600 bytes of WebAssembly, and the bytes are in its memory.
 *
 * @module
 */

/** What a search over a JSON string came to. */
export interface StringFound {
  /** Offset of the closing quote; -1 where there is none. */
  quote: number;
  /** Bytes that the string has less once its escapes are undone and it is UTF-8. */
  saved: number;
  /** It has a byte above 127. */
  isWide: boolean;
  /** It has a control character or an escape that is none. */
  isBroken: boolean;
}

/** The memory. `bytes` is another array after `grow`, with the same content. */
export interface WideMemory {
  bytes: Uint8Array;
  /** Offset of the first newline in `bytes` from `from` to before `to`, or -1. */
  newline(from: number, to: number): number;
  /** Makes room for `length` bytes at least. */
  grow(length: number): void;
}

const PAGE = 64 * 1024;
/** A search reads whole blocks, so beyond the end of what it searches. */
const BLOCK = 16;
/** Bytes a new memory has. */
export const WIDE_MEMORY_BYTES = 4 * PAGE - BLOCK;

/** `wide_memory.wat` beside this file, as `wat2wasm` assembles it. */
const WASM =
  "AGFzbQEAAAABCwJgAn9/AX9gAAF/AwUEAAABAQUDAQAEBgsCfwFBAAt/AUEACwcsBQZtZW1vcnkCAAduZXdsaW5lAAAF" +
  "cXVvdGUAAQVzYXZlZAACBWZsYWdzAAMK8wMEUQEBfwNAIAAgAU8EQEF/DwsgAP0AAAD9DAoKCgoKCgoKCgoKCgoKCgr9" +
  "I/1kIQIgAkUEQCAAQRBqIQAMAQsLIAAgAmhqIQAgAEF/IAAgAUkbC5QDAgF7Bn8DQCAAIAFPBEBBfw8LIAD9AAAAIQIg" +
  "AkEi/Q/9IyACQdwA/Q/9I/1Q/WQhAyADBH8gA2gFQRALIQYgACAGaiEAQQEgBnRBAWshBiAGIAL9ZHEEQCAFQQFyIQUL" +
  "IAYgAkEg/Q/9Jv1kcQRAIAVBAnIhBQsgA0UNACAAIAFPBEBBfw8LIAAtAABBIkYEQCAEJAAgBSQBIAAPCyAALQABIQYg" +
  "BkH1AEcEQCAGQSJGIAZBL0ZyIAZB3ABGIAZB4gBGcnIgBkHmAEYgBkHuAEZyIAZB8gBGIAZB9ABGcnJyRQRAIAVBAnIh" +
  "BQsgBEEBaiEEIABBAmohAAwBCyAAQQJqIQAgAEEEaiEIQQAhBwNAIAAtAAAhBiAGQTBrQQpJBEAgBkEwayEGBSAGQSBy" +
  "QdcAayEGIAZBCmtBBk8EQCAFQQJyIQUMAwsLIAdBBHQgBnIhByAAQQFqIQAgACAISQ0ACyAEIAdBgAFJBH9BBQUgB0GA" +
  "EEkgB0GA8ANxQYCwA0ZyBH9BBAVBAwsLaiEEDAALAAsEACMACwQAIwEL";

type Search = (from: number, to: number) => number;
interface StringSearch {
  quote: Search;
  saved: () => number;
  flags: () => number;
}

let compiled: WebAssembly.Module | undefined | null;
/** Which memory an array is a part of. */
const searches = new WeakMap<ArrayBufferLike, StringSearch>();

/** A new memory; `undefined` where there is no WebAssembly with SIMD. */
export function wideMemory(): WideMemory | undefined {
  try {
    if (compiled === undefined) compiled = new WebAssembly.Module(decodeBase64(WASM));
    if (compiled === null) return undefined;
    const { memory, ...exports } = new WebAssembly.Instance(compiled).exports;
    if (!(memory instanceof WebAssembly.Memory)) return undefined;
    const { newline, ...strings } = exports as unknown as StringSearch & { newline: Search };
    return {
      bytes: bytesOf(memory, strings),
      newline,
      grow(length) {
        memory.grow(Math.ceil((length - this.bytes.length) / PAGE));
        this.bytes = bytesOf(memory, strings);
      },
    };
  } catch {
    compiled = null;
    return undefined;
  }
}

/**
 * Looks for the end of a JSON string from `from` on, a place in it where no escape is under way; `undefined`
 * where `line` is not part of such a memory.
 */
export function searchString(line: Uint8Array, from: number): StringFound | undefined {
  const search = searches.get(line.buffer);
  if (search === undefined) return undefined;
  const { byteOffset, length } = line;
  const quote = search.quote(byteOffset + from, byteOffset + length);
  if (quote < 0) return { quote, saved: 0, isWide: false, isBroken: true };
  const flags = search.flags();
  return {
    quote: quote - byteOffset,
    saved: search.saved(),
    isWide: (flags & 1) !== 0,
    isBroken: (flags & 2) !== 0,
  };
}

function bytesOf(memory: WebAssembly.Memory, search: StringSearch): Uint8Array {
  searches.set(memory.buffer, search);
  return new Uint8Array(memory.buffer, 0, memory.buffer.byteLength - BLOCK);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

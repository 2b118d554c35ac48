/**
 * A file as lines, each with its byte offset.
 *
 * Reading is synchronous into one buffer, a line is a view of that buffer: nothing is decoded and nothing
 * is copied. The buffer grows to the longest line, up to `maxLine`. A longer line is not loaded: its head
 * is given, with its true length, so that whoever needs the rest can read that one line by its offset.
 *
 * @module
 */
import { readFully } from "../base/files.ts";
import { WIDE_MEMORY_BYTES, type WideMemory, wideMemory } from "../base/wide_memory.ts";

/** One line of a file. The object and its `bytes` are valid only until the next line is asked for. */
export interface ScannedLine {
  /** Offset of the first byte of the line in the file. */
  offset: number;
  /** Length in bytes, without the newline. */
  length: number;
  /** The line without its newline; where `overlong`, only its head (256 KiB or less). */
  bytes: Uint8Array;
  /** False for the rest of a file that does not end in a newline. */
  terminated: boolean;
  /** True when the line is longer than `maxLine`. */
  overlong: boolean;
}

/** Which part of the file, and how long a line may be before only its head is given. */
export interface ScanOptions {
  /** First byte to read; the start of a line. Default 0. */
  from?: number;
  /** Where to stop, exclusive. Default: the end of the file as it is met. */
  to?: number;
  /** Longest line that is loaded whole. Default 8 MiB. */
  maxLine?: number;
}

/** Longest line that `scanLines` loads whole unless told otherwise. */
const DEFAULT_MAX_LINE = 8 * 1024 * 1024;

/** Yields the lines of `file` between `from` and `to`, oldest first. */
export function* scanLines(file: Deno.FsFile, options: ScanOptions = {}): Generator<ScannedLine> {
  const buffer = takeScanBuffer();
  try {
    yield* scanInto(buffer, file, options);
  } finally {
    giveBack(buffer);
  }
}

function* scanInto(
  buffer: WideMemory,
  file: Deno.FsFile,
  { from = 0, to = Infinity, maxLine = DEFAULT_MAX_LINE }: ScanOptions,
): Generator<ScannedLine> {
  let filled = 0; // bytes in the buffer
  let start = 0; // where the line at hand begins in the buffer
  let searched = 0; // up to where no newline was found
  let passed = 0; // bytes of an overlong line that were let go
  let offset = from; // file offset of the line at hand
  let position = from; // file offset of the next read

  // One object for all lines: a hundred thousand of them would be the largest thing in memory.
  const line = { offset, length: 0, bytes: buffer.bytes, terminated: true, overlong: false };
  const lineUpTo = (end: number, terminated: boolean): ScannedLine => {
    line.offset = offset;
    line.length = passed + end - start;
    line.overlong = line.length > maxLine;
    const head = Math.min(start + SCAN_BUFFER_BYTES, end);
    line.bytes = buffer.bytes.subarray(start, line.overlong ? head : end);
    line.terminated = terminated;
    return line;
  };

  file.seekSync(from, Deno.SeekMode.Start);
  while (true) {
    const newline = searched < filled ? buffer.newline(searched, filled) : -1;
    if (newline >= 0) {
      const { length } = lineUpTo(newline, true);
      yield line;
      offset += length + 1;
      start = searched = newline + 1;
      passed = 0;
      continue;
    }
    if (start > 0) {
      buffer.bytes.copyWithin(0, start, filled);
      filled -= start;
      start = 0;
    } else if (filled === buffer.bytes.length && filled <= maxLine) {
      buffer.grow(Math.min(filled * 2, maxLine + SCAN_BUFFER_BYTES));
    } else if (filled === buffer.bytes.length) {
      // Keep the head for the caller, let the rest go by.
      passed += filled - SCAN_BUFFER_BYTES;
      filled = SCAN_BUFFER_BYTES;
    }
    searched = filled;
    const end = Math.min(buffer.bytes.length, filled + to - position);
    const read = end <= filled ? null : file.readSync(buffer.bytes.subarray(filled, end));
    if (read === null || read === 0) break;
    filled += read;
    position += read;
  }
  if (filled > start) yield lineUpTo(filled, false);
}

/** Reads exactly `length` bytes at `offset`; fewer where the file ends before. */
export function readAt(file: Deno.FsFile, offset: number, length: number): Uint8Array {
  file.seekSync(offset, Deno.SeekMode.Start);
  return readFully(file, length);
}

/*
 * The buffer a file is scanned in: memory that is searched wide, or an array where there is none.
 */

const NEWLINE = 10;

/** Bytes a new buffer has. */
const SCAN_BUFFER_BYTES = WIDE_MEMORY_BYTES;

/** One buffer is kept for the next scan; making a memory costs more than a small scan. */
let spare: WideMemory | undefined;

/** A buffer of `SCAN_BUFFER_BYTES` or more, with whatever is in it. */
function takeScanBuffer(): WideMemory {
  const buffer = spare ?? wideMemory() ?? plainBuffer();
  spare = undefined;
  return buffer;
}

/** Gives a buffer back. A large one is let go. */
function giveBack(buffer: WideMemory): void {
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

/**
 * The file format of the call index: where in a rollout each call's records are.
 *
 * A header names the rollout (thread, device, inode); after it only 16-byte entries, appended:
 *
 *     hash of the call id (u32, never 0) | line length (u32) | line offset (f64)
 *     0                                  | checksum   (u32)  | indexed up to (f64)     ← commit
 *
 * Entries count only up to the last commit whose checksum over everything before it is right, so a torn
 * or damaged tail is as if it were not there. The whole file is read for a look-up: 16 bytes per record
 * are a thousandth of what codex writes for one.
 *
 * @module
 */

/** Which rollout an index is of. */
export interface IndexedFile {
  threadId: string;
  dev: number;
  ino: number;
}

/** A line of the rollout that has a record of a call. */
export interface IndexEntry {
  hash: number;
  offset: number;
  length: number;
}

/** The trusted part of an index. */
export interface IndexContent {
  /** The rollout is indexed up to this offset, the end of a line. */
  upTo: number;
  /** The entry nearest to `upTo`. */
  last: IndexEntry | undefined;
  /** Entries of the hashes that were asked for, oldest first. */
  matches: IndexEntry[];
  /** Where in the index file the next entry goes, and the checksum so far. */
  end: IndexEnd;
}

/** Where to append. */
export interface IndexEnd {
  position: number;
  checksum: number;
}

const HEADER_BYTES = 80;
const ENTRY_BYTES = 16;
const FILTER = 4096;
const MAGIC = "plexum call index 1\n";

const encoder = new TextEncoder();

/** 32-bit FNV-1a of a call id; 0 is kept for commits. */
export function hashOf(callId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(callId)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0 || 1;
}

/** The first bytes of an index of `file`. */
export function encodeHeader(file: IndexedFile): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  encoder.encodeInto(MAGIC, header);
  new Float64Array(header.buffer, 24, 2).set([file.dev, file.ino]);
  encoder.encodeInto(file.threadId.replaceAll("-", ""), header.subarray(40));
  return header;
}

/** Entries for lines found since the last commit, and the commit that makes them count. */
export function encodeBatch(
  entries: readonly IndexEntry[],
  upTo: number,
  checksum: number,
): Uint8Array {
  const bytes = new Uint8Array((entries.length + 1) * ENTRY_BYTES);
  const words = new Uint32Array(bytes.buffer);
  const doubles = new Float64Array(bytes.buffer);
  let sum = checksum;
  entries.forEach((entry, i) => {
    words[i * 4] = entry.hash;
    words[i * 4 + 1] = entry.length;
    doubles[i * 2 + 1] = entry.offset;
    sum = mixEntry(sum, words, i);
  });
  const i = entries.length;
  doubles[i * 2 + 1] = upTo;
  words[i * 4 + 1] = mixEntry(sum, words, i);
  return bytes;
}

/** Reads an index; `undefined` where it is not an index of `file` with at least one good commit. */
export function decodeIndex(
  bytes: Uint8Array<ArrayBuffer>,
  file: IndexedFile,
  wanted: ReadonlySet<number>,
): IndexContent | undefined {
  const header = encodeHeader(file);
  if (bytes.length < HEADER_BYTES || header.some((byte, i) => byte !== bytes[i])) return undefined;
  const count = Math.floor((bytes.length - HEADER_BYTES) / ENTRY_BYTES);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * 4);
  const doubles = new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * 2);
  const entryAt = (i: number): IndexEntry => ({
    hash: words[i * 4] ?? 0,
    length: words[i * 4 + 1] ?? 0,
    offset: doubles[i * 2 + 1] ?? 0,
  });
  // Most entries are nobody's; asking the set about each would take longer than all the rest.
  const likely = new Uint8Array(FILTER);
  for (const hash of wanted) likely[hash % FILTER] = 1;
  const matches: IndexEntry[] = [];
  let sum = 0;
  let last: IndexEntry | undefined;
  let lastEntry = -1;
  let content: IndexContent | undefined;
  for (let i = 0; i < count; i++) {
    const hash = words[i * 4] ?? 0;
    if (hash !== 0) {
      sum = mixEntry(sum, words, i);
      lastEntry = i;
      if (likely[hash % FILTER] === 1 && wanted.has(hash)) matches.push(entryAt(i));
      continue;
    }
    const { length: checksum, offset: upTo } = entryAt(i);
    words[i * 4 + 1] = 0; // as it was when its own checksum was made
    sum = mixEntry(sum, words, i);
    if (sum !== checksum) break;
    if (lastEntry >= 0) last = entryAt(lastEntry);
    const position = HEADER_BYTES + (i + 1) * ENTRY_BYTES;
    content = { upTo, last, matches: [...matches], end: { position, checksum } };
  }
  return content;
}

function mixEntry(sum: number, words: Uint32Array, i: number): number {
  let mixed = Math.imul(sum ^ (words[i * 4] ?? 0), 0x9e3779b1);
  mixed = Math.imul((mixed ^ (mixed >>> 15)) + (words[i * 4 + 1] ?? 0), 0x85ebca6b);
  mixed = Math.imul((mixed ^ (mixed >>> 13)) + (words[i * 4 + 2] ?? 0), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) + (words[i * 4 + 3] ?? 0)) >>> 0;
}

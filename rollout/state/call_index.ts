/**
 * Finds a call's records without reading the session.
 *
 * The index is a by-product: made by one scan, brought up to date by scanning what was appended, thrown
 * away and made anew when anything about it is wrong. So it is written without waiting for the medium,
 * and what it says is only a hint: whoever uses an entry reads the line and sees whether it is there.
 *
 * @module
 */
import { openOwnFile, readOwnFile } from "../../base/files.ts";
import { Slices } from "../../base/timer.ts";
import { callItemsIn } from "../records/items.ts";
import { kindOf } from "../records/line_kind.ts";
import type { RolloutFile } from "../rollout_file.ts";
import { readAt, scanLines } from "../scan.ts";

/** A longer line has no place in the index; nobody can have seen its call. */
const MAX_LINE = 256 * 1024 * 1024;
const NEWLINE = 10;

/** Where the records of some calls are. */
export interface FoundCalls {
  /** Their lines. One may turn out to be of another call with the same hash. */
  lines: IndexEntry[];
  /** Size of the rollout up to which this holds. */
  size: number;
}

/** Looks up calls. `anew` throws the index away first. */
export async function findCalls(
  indexPath: string,
  rollout: RolloutFile,
  callIds: Iterable<string>,
  anew = false,
): Promise<FoundCalls> {
  const { size } = rollout.file.statSync();
  const wanted = new Set(Array.from(callIds, hashOf));
  const known = anew ? undefined : readIndex(indexPath, rollout, wanted);
  const { entries, upTo } = await scanRange(rollout, known?.upTo ?? 0, size);
  if (known === undefined || upTo > known.upTo) {
    append(indexPath, rollout, known, encodeBatch(entries, upTo, known?.end.checksum ?? 0));
  }
  const added = entries.filter(({ hash }) => wanted.has(hash));
  return { lines: [...known?.matches ?? [], ...added], size };
}

function readIndex(
  path: string,
  rollout: RolloutFile,
  wanted: ReadonlySet<number>,
): IndexContent | undefined {
  try {
    const content = decodeIndex(readOwnFile(path), rollout, wanted);
    return content !== undefined && fits(content, rollout) ? content : undefined;
  } catch {
    return undefined; // there is none yet, or it cannot be read: make one
  }
}

/** Whether the rollout still is what was indexed: a line ends at `upTo`, the last entry is in place. */
function fits({ upTo, last }: IndexContent, { file }: RolloutFile): boolean {
  if (upTo > 0 && readAt(file, upTo - 1, 1)[0] !== NEWLINE) return false;
  if (last === undefined) return true;
  const line = readAt(file, last.offset, last.length);
  return line.length === last.length &&
    callItemsIn(line).some(({ callId }) => hashOf(callId) === last.hash);
}

async function scanRange(
  rollout: RolloutFile,
  from: number,
  to: number,
): Promise<{ entries: IndexEntry[]; upTo: number }> {
  const entries: IndexEntry[] = [];
  let upTo = from;
  const slices = new Slices();
  for (const line of scanLines(rollout.file, { from, to })) {
    if (!line.terminated) break;
    const { offset, length } = line;
    upTo = offset + length + 1;
    const kind = kindOf(line.bytes);
    const matters = kind === "call" || kind === "output" || kind === "compacted" ||
      kind === "unsure";
    if (matters && length <= MAX_LINE) {
      const bytes = line.overlong ? readWhole(rollout, offset, length) : line.bytes;
      const hashes = new Set(callItemsIn(bytes).map(({ callId }) => hashOf(callId)));
      for (const hash of hashes) entries.push({ hash, offset, length });
    }
    if (slices.due) await slices.next();
  }
  return { entries, upTo };
}

/** Reads beside a scan that goes on afterwards, hence with a handle of its own. */
function readWhole({ path }: RolloutFile, offset: number, length: number): Uint8Array {
  using rollout = openOwnFile(path);
  return readAt(rollout.file, offset, length);
}

function append(
  path: string,
  rollout: RolloutFile,
  known: IndexContent | undefined,
  batch: Uint8Array,
): void {
  try {
    using file = Deno.openSync(path, {
      write: true,
      create: true,
      truncate: known === undefined,
      mode: 0o600,
    });
    if (known === undefined) file.writeSync(encodeHeader(rollout));
    else file.seekSync(known.end.position, Deno.SeekMode.Start);
    for (let at = 0; at < batch.length;) at += file.writeSync(batch.subarray(at));
  } catch {
    // No space, say. The next consume scans again; a torn entry does not count.
  }
}

/*
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
interface IndexContent {
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
interface IndexEnd {
  position: number;
  checksum: number;
}

const HEADER_BYTES = 80;
const ENTRY_BYTES = 16;
const ENTRY_WORDS = 4;
const MAGIC = "plexum call index 2\n";

const encoder = new TextEncoder();

/** 32-bit FNV-1a of a call id; 0 is kept for commits. */
export function hashOf(callId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(callId)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0 || 1;
}

/** The first bytes of an index of `file`. */
function encodeHeader(file: IndexedFile): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  encoder.encodeInto(MAGIC, header);
  new Float64Array(header.buffer, 24, 2).set([file.dev, file.ino]);
  encoder.encodeInto(file.threadId.replaceAll("-", ""), header.subarray(40));
  return header;
}

/** Entries for lines found since the last commit, and the commit that makes them count. */
function encodeBatch(
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
    sum = mix(sum, entry.hash, entry.length, words[i * 4 + 2] ?? 0, words[i * 4 + 3] ?? 0);
  });
  const i = entries.length;
  doubles[i * 2 + 1] = upTo;
  words[i * 4 + 1] = mix(sum, 0, 0, words[i * 4 + 2] ?? 0, words[i * 4 + 3] ?? 0);
  return bytes;
}

/** Reads an index; `undefined` where it is not an index of `file` with at least one good commit. */
function decodeIndex(
  bytes: Uint8Array<ArrayBuffer>,
  file: IndexedFile,
  wanted: ReadonlySet<number>,
): IndexContent | undefined {
  const header = encodeHeader(file);
  if (bytes.length < HEADER_BYTES || header.some((byte, i) => byte !== bytes[i])) return undefined;
  const count = Math.floor((bytes.length - HEADER_BYTES) / ENTRY_BYTES);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * 4);
  const doubles = new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * 2);
  const good = lastGoodCommit(words);
  if (good < 0) return undefined;
  const entryAt = (at: number): IndexEntry => ({
    hash: words[at] ?? 0,
    length: words[at + 1] ?? 0,
    offset: doubles[at / 2 + 1] ?? 0,
  });
  const matches = [...wanted].flatMap((hash) => placesOf(hash, words, good)).sort((a, b) => a - b)
    .map(entryAt);
  let last = good - ENTRY_WORDS;
  while (last >= 0 && words[last] === 0) last -= ENTRY_WORDS;
  const { length: checksum, offset: upTo } = entryAt(good);
  const position = HEADER_BYTES + good * 4 + ENTRY_BYTES;
  return {
    upTo,
    last: last < 0 ? undefined : entryAt(last),
    matches,
    end: { position, checksum },
  };
}

/** Where the last commit is whose checksum, and that of all before it, is right; -1 where none is. */
function lastGoodCommit(words: Uint32Array): number {
  let sum = 0;
  let good = -1;
  for (let at = 0; at < words.length; at += ENTRY_WORDS) {
    const commit = words[at] === 0;
    const checksum = words[at + 1] ?? 0;
    sum = mix(sum, words[at] ?? 0, commit ? 0 : checksum, words[at + 2] ?? 0, words[at + 3] ?? 0);
    if (!commit) continue;
    if (sum !== checksum) break;
    good = at;
  }
  return good;
}

/** Entries of this hash before `end`. The search is the engine's own: it is faster than any loop. */
function placesOf(hash: number, words: Uint32Array, end: number): number[] {
  const places: number[] = [];
  for (let at = words.indexOf(hash); at >= 0 && at < end; at = words.indexOf(hash, at + 1)) {
    if (at % ENTRY_WORDS === 0) places.push(at);
  }
  return places;
}

function mix(sum: number, a: number, b: number, c: number, d: number): number {
  const ab = Math.imul(Math.imul(sum ^ a, 0x01000193) ^ b, 0x85ebca6b);
  return Math.imul(Math.imul((ab ^ (ab >>> 15)) ^ c, 0x01000193) ^ d, 0x9e3779b1) >>> 0;
}

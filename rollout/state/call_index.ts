/**
 * Finds a call's records without reading the session.
 *
 * The index is a by-product: made by one scan, brought up to date by scanning what was appended, thrown
 * away and made anew when anything about it is wrong. So it is written without waiting for the medium,
 * and what it says is only a hint: whoever uses an entry reads the line and sees whether it is there.
 *
 * @module
 */

import { openOwnFile, readOwnFile } from "../../base/open_file.ts";
import { Slices } from "../../base/timer.ts";
import {
  decodeIndex,
  encodeBatch,
  encodeHeader,
  hashOf,
  type IndexContent,
  type IndexEntry,
} from "./index_file.ts";
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

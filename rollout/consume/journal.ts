/**
 * The journal of a consume: what is about to change, written and fsynced before the first byte changes.
 *
 * Whatever stops the program, afterwards the file is in one of three states, and the journal tells which:
 * not changed yet, half changed, changed. Recovery finishes the change. It first makes sure that the
 * journal was made for this file (device, inode, not shorter than then) and for these bytes: each byte of
 * an edit must be the old or the new one, with the same bytes before it and the line's end after it.
 * A journal that does not fit is never applied; it is set aside under a name that says so.
 *
 * Format: a first line, a JSON line, the old and new bytes of each edit, and the SHA-256 of all that.
 *
 * @module
 */

import { joinBytes } from "../../base/lines.ts";
import { createHash } from "node:crypto";

/** A change within one line of the file, from a value to the end of its line. */
export interface Edit {
  offset: number;
  before: Uint8Array;
  after: Uint8Array;
  /** Bytes that stand right before the change, to know the place again. */
  context: Uint8Array;
}

/** A change to a file. */
export interface Journal {
  codexHome: string;
  threadId: string;
  path: string;
  dev: number;
  ino: number;
  /** Size when the change was planned; the file may have grown since. */
  size: number;
  edits: Edit[];
}

const MAGIC = "plexum rollout journal 1\n";
const DIGEST_BYTES = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The journal as it is stored. */
export function encodeJournal(journal: Journal): Uint8Array {
  const edits = journal.edits.map(({ offset, before, context }) => ({
    offset,
    length: before.length,
    context: context.length,
  }));
  const head = encoder.encode(`${MAGIC}${JSON.stringify({ ...journal, edits })}\n`);
  const parts = [
    head,
    ...journal.edits.flatMap(({ context, before, after }) => [context, before, after]),
  ];
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return joinBytes([...parts, new Uint8Array(digest.digest())]);
}

/** Bytes that are no journal: damaged, or of another version. */
export class BrokenJournal extends Error {
  override name = "BrokenJournal";
}

/** Reads a stored journal. Throws BrokenJournal where it is not whole or not of this version. */
export function decodeJournal(bytes: Uint8Array): Journal {
  const content = bytes.subarray(0, -DIGEST_BYTES);
  const digest = createHash("sha256").update(content).digest();
  if (!digest.equals(bytes.subarray(content.length))) {
    throw new BrokenJournal("its checksum is wrong");
  }
  const headEnd = content.indexOf(10, MAGIC.length);
  if (decoder.decode(content.subarray(0, MAGIC.length)) !== MAGIC || headEnd < 0) {
    throw new BrokenJournal("it is not a journal of version 1");
  }
  // The checksum says that this is what `encodeJournal` wrote.
  const head: Stored = JSON.parse(decoder.decode(content.subarray(MAGIC.length, headEnd)));
  let at = headEnd + 1;
  const take = (length: number): Uint8Array => content.subarray(at, at += length);
  return {
    ...head,
    edits: head.edits.map(({ offset, length, context }) => ({
      offset,
      context: take(context),
      before: take(length),
      after: take(length),
    })),
  };
}

type Stored = Omit<Journal, "edits"> & {
  edits: { offset: number; length: number; context: number }[];
};

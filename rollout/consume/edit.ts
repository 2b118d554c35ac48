/**
 * Changes a rollout in place, so that a crash at any point leaves each record old or new after `recover`.
 *
 * 1. write the journal, fsynced; it bears the file's times; 2. write the bytes, fsynced; 3. put the times
 * back; 4. remove the journal. The file is opened for update: never truncated, never appended to,
 * never renamed, because a codex that has it open goes on appending to this very file.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import { type Disk, removeDurably, writeDurably, writeFully } from "../../base/durable.ts";
import {
  assertSame,
  isDirectory,
  isThere,
  type OpenedFile,
  openOwnFile,
  readOwnFile,
  unlessMissing,
  UnusableFile,
} from "../../base/files.ts";
import { joinBytes } from "../../base/lines.ts";
import { homeOf, whileNoWriter } from "../rollout_file.ts";
import { readAt } from "../scan.ts";

/** What recovery found. */
export type Recovery =
  | { kind: "none" }
  /** Not now: a codex has the thread open, or its rollout is away. Nothing was done. */
  | { kind: "busy" }
  /** The change was finished, or had been finished and only the journal was left. */
  | { kind: "finished"; path: string }
  /** The journal does not fit its file; it was set aside. */
  | { kind: "refused"; reason: string; setAside: string };

const NEWLINE = 10;

/** Makes the change of `journal`, which is stored at `journalPath` meanwhile. Only while nobody writes. */
export async function applyEdits(
  journal: Journal,
  journalPath: string,
  disk: Disk,
): Promise<void> {
  await writeDurably(journalPath, encodeJournal(journal), disk, journal.path);
  await writeEdits(journal, disk);
  await finish(journal, journalPath, disk);
}

/** Finishes the change that a crash interrupted, if there was one and nobody writes. Idempotent. */
export async function recover(journalPath: string, disk: Disk): Promise<Recovery> {
  const bytes = unlessMissing(() => readOwnFile(journalPath));
  if (bytes === undefined) return { kind: "none" };
  try {
    const journal = decodeJournal(bytes);
    const { threadId, path } = journal;
    const home = homeOf(path, journal.codexHome);
    if (isAway(path, home)) return { kind: "busy" };
    const free = await whileNoWriter(home, threadId, async () => {
      const dev = assertMadeFor(journal);
      await writeEdits({ ...journal, dev }, disk);
      await finish(journal, journalPath, disk);
    });
    return free === undefined ? { kind: "busy" } : { kind: "finished", path };
  } catch (error) {
    if (!(error instanceof Misfit || error instanceof BrokenJournal)) throw error;
    const setAside = `${journalPath}.refused`;
    disk.rename(journalPath, setAside);
    await disk.syncDirectory(dirname(journalPath));
    return { kind: "refused", reason: error.message, setAside };
  }
}

/** Whether there is a change to finish whose rollout is away: nothing is to be had by trying again at once. */
export function isRolloutAway(journalPath: string): boolean {
  const bytes = unlessMissing(() => readOwnFile(journalPath));
  if (bytes === undefined) return false;
  try {
    const { path, codexHome } = decodeJournal(bytes);
    return isAway(path, homeOf(path, codexHome));
  } catch (error) {
    if (error instanceof BrokenJournal) return false; // `recover` sets it aside
    throw error;
  }
}

/** Whether a rollout may be there again: codex has compressed it, or the home that it lies in is not mounted. */
function isAway(path: string, home: string): boolean {
  if (isThere(path)) return false;
  return isThere(`${path}.zst`) || !isDirectory(join(home, "sessions"));
}

/** The journal's file or bytes are not those it was made for. */
class Misfit extends Error {
  override name = "Misfit";
}

/**
 * Returns the device that the file is on now. It may bear another number since the machine was started
 * anew (btrfs, overlay, NFS, ZFS, disks found in another order); the inode and the bytes tell the file.
 */
function assertMadeFor(journal: Journal): number {
  const { path, ino, size, edits } = journal;
  using rollout = openForRecovery(path);
  const { file, info } = rollout;
  try {
    assertSame(path, { dev: info.dev, ino }, info);
  } catch (error) {
    throw new Misfit(String(error));
  }
  if (info.size < size) throw new Misfit(`${path} is shorter than it was`);
  for (const edit of edits) {
    if (!isInPlace(file, edit)) {
      throw new Misfit(`${path} has other bytes at offset ${edit.offset}`);
    }
  }
  return info.dev;
}

function openForRecovery(path: string): OpenedFile {
  try {
    return openOwnFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Misfit(`${path} is gone`);
    if (error instanceof UnusableFile) throw new Misfit(error.message);
    throw error;
  }
}

function isInPlace(file: Deno.FsFile, { offset, before, after, context }: Edit): boolean {
  const start = offset - context.length;
  const now = readAt(file, start, context.length + before.length + 1);
  const end = context.length + before.length;
  if (now.length < end || (now.length > end && now[end] !== NEWLINE)) return false;
  return context.every((byte, i) => byte === now[i]) &&
    before.every((byte, i) => {
      const current = now[context.length + i];
      return current === byte || current === after[i];
    });
}

async function writeEdits(journal: Journal, disk: Disk): Promise<void> {
  const file = disk.open(journal.path, "update");
  try {
    assertSame(journal.path, journal, file.stat());
    for (const { offset, after } of journal.edits) writeFully(file, after, offset);
    await file.sync();
  } finally {
    file.close();
  }
}

async function finish(
  { path, size }: Journal,
  journalPath: string,
  disk: Disk,
): Promise<void> {
  // What was appended since is news, and its time is right.
  if (Deno.lstatSync(path).size === size) await disk.copyTimes(journalPath, path);
  await removeDurably(journalPath, disk);
}

/*
 * The journal of a consume: what is about to change, written and fsynced before the first byte changes.
 *
 * Whatever stops the program, afterwards the file is in one of three states, and the journal tells which:
 * not changed yet, half changed, changed. Recovery finishes the change. It first makes sure that the
 * journal was made for this file (inode, not shorter than then) and for these bytes: each byte of
 * an edit must be the old or the new one, with the same bytes before it and the line's end after it.
 * A journal that does not fit is never applied; it is set aside under a name that says so.
 *
 * Format: a first line, a JSON line, the old and new bytes of each edit, and the SHA-256 of all that.
 */

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
  /** Where the rollout lies; earlier versions wrote the home that they were given. */
  codexHome: string;
  threadId: string;
  path: string;
  /** Counts until the machine is started anew. */
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
function encodeJournal(journal: Journal): Uint8Array {
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
class BrokenJournal extends Error {
  override name = "BrokenJournal";
}

/** Reads a stored journal. Throws BrokenJournal where it is not whole or not of this version. */
function decodeJournal(bytes: Uint8Array): Journal {
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

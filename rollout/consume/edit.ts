/**
 * Changes a rollout in place, so that a crash at any point leaves each record old or new after `recover`.
 *
 * 1. write the journal, fsynced; it bears the file's times; 2. write the bytes, fsynced; 3. put the times
 * back; 4. remove the journal. The file is opened for update: never truncated, never appended to,
 * never renamed, because a codex that has it open goes on appending to this very file.
 *
 * @module
 */

import { dirname } from "@std/path";
import { unlessMissing } from "../../base/files.ts";
import { type Disk, removeDurably, writeDurably, writeFully } from "../../base/durable.ts";
import {
  assertSame,
  type OpenedFile,
  openOwnFile,
  readOwnFile,
  UnusableFile,
} from "../../base/open_file.ts";
import { BrokenJournal, decodeJournal, type Edit, encodeJournal, type Journal } from "./journal.ts";
import { readAt } from "../scan.ts";

/** What recovery found. */
export type Recovery =
  | { kind: "none" }
  /** The change was finished, or had been finished and only the journal was left. */
  | { kind: "finished"; path: string }
  /** The journal does not fit its file; it was set aside. */
  | { kind: "refused"; reason: string; setAside: string };

const NEWLINE = 10;

/** Makes the change of `journal`, which is stored at `journalPath` meanwhile. */
export async function applyEdits(
  journal: Journal,
  journalPath: string,
  disk: Disk,
): Promise<void> {
  await writeDurably(journalPath, encodeJournal(journal), disk, journal.path);
  await writeEdits(journal, disk);
  await finish(journal, journalPath, disk);
}

/** Finishes the change that a crash interrupted, if there was one. Idempotent. */
export async function recover(journalPath: string, disk: Disk): Promise<Recovery> {
  const bytes = unlessMissing(() => readOwnFile(journalPath));
  if (bytes === undefined) return { kind: "none" };
  try {
    const journal = decodeJournal(bytes);
    assertMadeFor(journal);
    await writeEdits(journal, disk);
    await finish(journal, journalPath, disk);
    return { kind: "finished", path: journal.path };
  } catch (error) {
    if (!(error instanceof Misfit || error instanceof BrokenJournal)) throw error;
    const setAside = `${journalPath}.refused`;
    disk.rename(journalPath, setAside);
    await disk.syncDirectory(dirname(journalPath));
    return { kind: "refused", reason: error.message, setAside };
  }
}

/** The journal's file or bytes are not those it was made for. */
class Misfit extends Error {
  override name = "Misfit";
}

function assertMadeFor(journal: Journal): void {
  const { path, size, edits } = journal;
  using rollout = openForRecovery(path);
  const { file, info } = rollout;
  try {
    assertSame(path, journal, info);
  } catch (error) {
    throw new Misfit(String(error));
  }
  if (info.size < size) throw new Misfit(`${path} is shorter than it was`);
  for (const edit of edits) {
    if (!isInPlace(file, edit)) {
      throw new Misfit(`${path} has other bytes at offset ${edit.offset}`);
    }
  }
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

/**
 * Files that a crash leaves either as they were or as they should be.
 *
 * Every write of this folder that must survive a crash goes through `Disk`, a handful of operations:
 * the real one below, and in the tests one that stops, fails or loses power at any of them.
 *
 * @module
 */

import { copyTimes } from "./file_times.ts";
import { basename, dirname, join } from "@std/path";

/** An open file, written at explicit offsets. */
export interface DiskFile {
  stat(): Deno.FileInfo;
  /** Writes some of `bytes` at `offset`; how many, it returns. */
  write(bytes: Uint8Array, offset: number): number;
  /** What was written is on the medium when this resolves. */
  sync(): Promise<void>;
  close(): void;
}

/**
 * The writing half of a file system. Reading cannot break anything and is done with Deno itself. What waits
 * for the medium or for a program is asynchronous, so that no turn waits with it.
 */
export interface Disk {
  /** Opens for writing: `create` a new file (0600, fails if there is one) or `update` in place. */
  open(path: string, how: "create" | "update"): DiskFile;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes renames and removals in a directory last. */
  syncDirectory(path: string): Promise<void>;
  /** Gives the file `to` the access and modification time of `from`. */
  copyTimes(from: string, to: string): Promise<void>;
}

/** The real file system. */
export const realDisk: Disk = {
  open(path, how) {
    const file = Deno.openSync(
      path,
      how === "create"
        ? { write: true, createNew: true, mode: 0o600 }
        : { read: true, write: true },
    );
    return {
      stat: () => file.statSync(),
      write(bytes, offset) {
        file.seekSync(offset, Deno.SeekMode.Start);
        return file.writeSync(bytes);
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => Deno.removeSync(path),
  async syncDirectory(path) {
    using directory = Deno.openSync(path, { read: true });
    await directory.sync();
  },
  copyTimes,
};

/** Writes all of `bytes` at `offset`, however little the system takes at a time. */
export function writeFully(file: DiskFile, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    const count = file.write(bytes.subarray(written), offset + written);
    if (count <= 0) throw new Error(`Cannot write at ${offset + written}: nothing was accepted`);
    written += count;
  }
}

let temporaries = 0;

/**
 * Replaces the file at `path` as a whole; after a crash it has the old content or the new.
 *
 * @param timesOf a file whose times the new one gets.
 */
export async function writeDurably(
  path: string,
  content: Uint8Array,
  disk: Disk,
  timesOf?: string,
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${Deno.pid}.${temporaries++}.tmp`);
  try {
    const file = disk.open(temporary, "create");
    try {
      writeFully(file, content, 0);
      if (timesOf !== undefined) await disk.copyTimes(timesOf, temporary);
      await file.sync();
    } finally {
      file.close();
    }
    disk.rename(temporary, path);
  } catch (error) {
    removeIfThere(temporary, disk);
    throw error;
  }
  await disk.syncDirectory(directory);
}

/** Removes a file for good; it is no error if there is none. */
export async function removeDurably(path: string, disk: Disk): Promise<void> {
  if (removeIfThere(path, disk)) await disk.syncDirectory(dirname(path));
}

function removeIfThere(path: string, disk: Disk): boolean {
  try {
    disk.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

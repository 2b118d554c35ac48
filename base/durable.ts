/**
 * Files that a crash leaves either as they were or as they should be.
 *
 * Every write that must survive a crash goes through `Disk`, a handful of operations:
 * the real one below, and in the tests one that stops, fails or loses power at any of them.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "@std/path";
import { inWords } from "./error_message.ts";
import { runProgram } from "./program.ts";

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
export function writeFully(
  file: Pick<DiskFile, "write">,
  bytes: Uint8Array,
  offset: number,
): void {
  let written = 0;
  while (written < bytes.length) {
    const count = file.write(bytes.subarray(written), offset + written);
    if (count <= 0) throw new Error(`Cannot write at ${offset + written}: nothing was accepted`);
    written += count;
  }
}

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
  const temporary = join(directory, `.${basename(path)}.${crypto.randomUUID()}.tmp`);
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

/** How the names of files begin that are about to be renamed into their place. */
export const TEMPORARY = ".plexum-";

/**
 * Replaces the file at `path` as a whole, by a new one beside it and a rename: whoever reads or runs
 * the old one goes on with it, and a crash or a full disk leaves the old or the new.
 * @throws {Error} naming the path; what was there is there still.
 */
export function replaceFile(path: string, content: string | Uint8Array, mode: number): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  replaceByPieces(path, [bytes], mode);
}

/**
 * The same with a copy of the file at `source`.
 * @param check may refuse the copy before it is in place.
 */
export function replaceByCopy(
  path: string,
  source: string,
  mode: number,
  check?: (copy: string) => void,
): void {
  using from = Deno.openSync(source, { read: true });
  replaceByPieces(path, piecesOf(from), mode, check);
}

function replaceByPieces(
  path: string,
  pieces: Iterable<Uint8Array>,
  mode: number,
  check: (temporary: string) => void = () => {},
): void {
  renamedInto(path, (temporary) => {
    {
      using file = Deno.openSync(temporary, { write: true, createNew: true, mode });
      const appended = { write: (bytes: Uint8Array) => file.writeSync(bytes) };
      for (const piece of pieces) writeFully(appended, piece, 0);
      file.syncSync();
    }
    Deno.chmodSync(temporary, mode); // whatever the umask took away
    check(temporary);
  });
}

const PIECE = 1024 * 1024;

/** Each piece is void with the next one. */
function* piecesOf(file: Deno.FsFile): Generator<Uint8Array> {
  const buffer = new Uint8Array(PIECE);
  for (let read = file.readSync(buffer); read !== null; read = file.readSync(buffer)) {
    yield buffer.subarray(0, read);
  }
}

/** The same for a text that nothing depends on: 0600, and the disk is not waited for. */
export function replaceText(path: string, text: string): void {
  renamedInto(path, (temporary) => {
    Deno.writeTextFileSync(temporary, text, { createNew: true, mode: 0o600 });
  });
}

/** Renames what `make` makes beside `path` into its place, and leaves nothing when that fails. */
function renamedInto(path: string, make: (temporary: string) => void): void {
  const temporary = join(dirname(path), `${TEMPORARY}${crypto.randomUUID()}.tmp`);
  try {
    make(temporary);
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch {
      // was never there
    }
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new Error(`Cannot write ${path}: ${inWords(error)}`, { cause: error });
  }
}

/** How long `touch` may take. It takes 1 ms. */
const TOUCH_MS = 5_000;

/**
 * Gives the file `to` the access and modification time of `from`. Deno reads and sets times in
 * milliseconds, file systems keep nanoseconds: `touch -r` copies them exactly; where it is not to be had,
 * the milliseconds are what is left.
 */
async function copyTimes(from: string, to: string): Promise<void> {
  if (await touched(from, to)) return;
  const { atime, mtime } = Deno.statSync(from);
  if (atime !== null && mtime !== null) Deno.utimeSync(to, atime, mtime);
}

async function touched(from: string, to: string): Promise<boolean> {
  const args = ["-c", "-r", resolve(from), "--", resolve(to)];
  try {
    return (await runProgram("touch", args, { timeMs: TOUCH_MS, lookup: true })).code === 0;
  } catch {
    return false;
  }
}

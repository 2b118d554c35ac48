/**
 * Files that may not be there, and files that somebody else may have put there.
 *
 * An error of Deno costs 0.1 to 0.2 ms, ten to thirty times what it costs to ask first, and a turn looks for
 * dozens of files that are mostly not there.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "@std/path";
import { errorMessage } from "./error_message.ts";
import { ProgramError, runProgram } from "./program.ts";

/** Whether `path` leads to something. False for a link to nowhere. */
export function isThere(path: string): boolean {
  return existsSync(path);
}

/** The text of a file, `undefined` where there is none. */
export function readIfThere(path: string): string | undefined {
  return unlessMissing(() => Deno.readTextFileSync(path));
}

/** Whether there is anything at `path`, be it a dangling link. */
export function exists(path: string): boolean {
  return unlessMissing(() => Deno.lstatSync(path)) !== undefined;
}

/** What `look` returns, `undefined` where it finds nothing at its path. */
export function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes a file; whether there was one that could be removed. */
export function removeIfThere(path: string): boolean {
  if (!isThere(path)) return false;
  try {
    Deno.removeSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether `path` leads to a regular file, perhaps by a link. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile ?? false;
}

/** Whether `path` leads to a directory, perhaps by a link. */
export function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory ?? false;
}

/** The state of what `path` leads to, as far as it shows from outside; empty where that is nothing. */
export function stampOf(path: string): string {
  const { mtime, size, ino } = statOf(path) ?? {};
  return size === undefined ? "" : `${mtime?.getTime()} ${size} ${ino}`;
}

/** What `path` leads to; `undefined` where that is nothing, or nothing that may be seen. */
export function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return isThere(path) ? Deno.statSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/*
 * Opening what somebody else may have put there, without ever waiting for them.
 *
 * An `open` stops the whole program, with every turn in it, where the path is a FIFO without a writer or a
 * file on which its owner holds a lease: in Deno 2.4 the asynchronous `open` runs on the loop, too. A look
 * before it does not help against somebody who swaps the file in a loop. So there are two ways:
 *
 * - {@link openOwnFile} for files in directories of our own user (codex's home, our state): opened for
 *   reading and writing, which on Linux waits for no other end of a FIFO, then compared with what was
 *   looked at. Deno gives no dependable `O_NOFOLLOW`.
 * - {@link readForeignFile} for whole small files in directories that an agent may write (its workspace,
 *   images): read by `dd` with `O_NOFOLLOW` and `O_NONBLOCK`, which also passes by leases, in a process
 *   that is killed when it takes too long.
 */

/** A file that was looked at, opened, and found to be the same. */
export interface OpenedFile extends Disposable {
  file: Deno.FsFile;
  /** As of the opened file. */
  info: Deno.FileInfo;
}

/** A path that is not what it has to be: no regular file, not ours, replaced while it was opened. */
export class UnusableFile extends Error {
  override name = "UnusableFile";

  /** `doing` is what was to be done with it, as in "Cannot read …". */
  constructor(doing: string, path: string, readonly why: string, options?: ErrorOptions) {
    super(`Cannot ${doing} ${path}: ${why}`, options);
  }
}

/** It was replaced while it was opened. */
class ReplacedFile extends UnusableFile {}

/**
 * Opens a regular file of ours; its offset is 0. Do not write to it.
 * @throws {UnusableFile} where it is something else, or was replaced meanwhile.
 * @throws {Deno.errors.NotFound} and what else the system says.
 */
export function openOwnFile(path: string): OpenedFile {
  const seen = Deno.lstatSync(path);
  const why = whyUnusable(seen);
  if (why !== undefined) throw new UnusableFile("use", path, why);
  const file = openUnblocked(path);
  try {
    const info = file.statSync();
    assertSame(path, seen, info);
    return { file, info, [Symbol.dispose]: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** How often a file may be replaced while it is opened. */
const REPLACED = 3;

/**
 * All of a regular file of ours; throws as {@link openOwnFile} does. One that is replaced as a whole at this
 * very moment, as our own files are, is the new one.
 */
export function readOwnFile(path: string): Uint8Array<ArrayBuffer> {
  for (let times = 0;; times++) {
    try {
      using opened = openOwnFile(path);
      return readFully(opened.file, opened.info.size);
    } catch (error) {
      if (!(error instanceof ReplacedFile) || times === REPLACED) throw error;
    }
  }
}

/** The next `length` bytes of a file; fewer where it ends before. */
export function readFully(file: Deno.FsFile, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const read = file.readSync(bytes.subarray(filled));
    if (read === null || read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

function openUnblocked(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    // Nobody swaps files on a file system that is mounted read-only.
    if (!(error instanceof Error && /os error 30\b/.test(error.message))) throw error;
    return Deno.openSync(path, { read: true });
  }
}

/**
 * Throws where an opened file is not the one that was expected at its path.
 * @throws {UnusableFile}
 */
export function assertSame(
  path: string,
  expected: { dev: number; ino: number | null },
  opened: { dev: number; ino: number | null },
): void {
  if (opened.dev === expected.dev && opened.ino === expected.ino) return;
  throw new ReplacedFile(
    "use",
    path,
    `it was replaced (device ${opened.dev}, inode ${opened.ino} instead of ` +
      `device ${expected.dev}, inode ${expected.ino})`,
  );
}

/** Says why a file must not be used as a regular file of ours; `undefined` where it may. */
export function whyUnusable(info: Deno.FileInfo): string | undefined {
  if (info.isSymlink) return "it is a symbolic link";
  if (!info.isFile) return "it is not a regular file";
  if (info.uid !== ownUid()) return `it belongs to user ${info.uid}, not to user ${ownUid()}`;
  return undefined;
}

let own: number | null | undefined;

/**
 * The user id this process creates files as; `null` where the platform has none.
 *
 * `Deno.uid()` needs `--allow-sys`, which this program does not ask for. The owner of a file that was
 * created a moment ago is the same answer; it is asked for once per process.
 */
export function ownUid(): number | null {
  if (own === undefined) {
    const probe = makeProbe();
    try {
      own = Deno.lstatSync(probe).uid;
    } finally {
      Deno.removeSync(probe);
    }
  }
  return own;
}

/** A file of ours, wherever one can be made: TMPDIR may lead nowhere. */
function makeProbe(): string {
  const places = [Deno.env.get("TMPDIR"), Deno.env.get("XDG_RUNTIME_DIR"), "/tmp", "/var/tmp"]
    .concat(Deno.env.get("HOME")).filter((dir) => dir !== undefined && isAbsolute(dir));
  for (const dir of places) {
    try {
      return Deno.makeTempFileSync({ dir, prefix: "plexum-owner-" });
    } catch {
      // The next one may do.
    }
  }
  throw new Error(
    `Cannot find out whose process this is, because a file cannot be made in ${
      places.join(", ")
    }: ` +
      `set TMPDIR to a directory that can be written`,
  );
}

/** Limits of {@link readForeignFile}. */
export interface ForeignFileOptions {
  /** A longer file is refused. */
  maxBytes: number;
  /** Default 5,000. */
  limitMs?: number;
  signal?: AbortSignal;
}

const LIMIT_MS = 5_000;

/**
 * All of a regular file that anybody may have put there. Symbolic links are not followed: resolve a path
 * that may be one before.
 * @throws {UnusableFile} where it is no regular file, is too long, cannot be read, or not in time.
 */
export async function readForeignFile(
  path: string,
  { maxBytes, limitMs = LIMIT_MS, signal }: ForeignFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const unusable = (why: string) => new UnusableFile("read", path, why);
  const info = lookedAt(path);
  if (!info.isFile) throw unusable("it is not a regular file");
  if (info.size > maxBytes) throw unusable(`it has ${info.size} bytes, more than ${maxBytes}`);
  const read = await readByProgram(path, maxBytes, limitMs, signal);
  signal?.throwIfAborted();
  if (typeof read === "string") throw unusable(read);
  return read ?? readCompared(path, info);
}

function lookedAt(path: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    throw new UnusableFile("read", path, errorMessage(error), { cause: error });
  }
}

/** The file, or why it cannot be read; `undefined` where there is no such `dd`. */
async function readByProgram(
  path: string,
  maxBytes: number,
  timeMs: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer> | string | undefined> {
  const args = [
    `if=${resolve(path)}`,
    "iflag=nofollow,nonblock,fullblock",
    "bs=64K",
    "status=none",
  ];
  try {
    const options = { timeMs, signal, maxBytes, raw: true };
    const { code, bytes, stderr } = await runProgram("dd", args, options);
    if (code === 0) return bytes;
    return stderr.includes("input flag") || stderr.includes("iflag") ? undefined : stderr.trim();
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return error.why === "start" ? undefined : error.message;
  }
}

/** For a system whose `dd` knows less: only a lease on the file can make this wait. */
function readCompared(path: string, seen: Deno.FileInfo): Uint8Array<ArrayBuffer> {
  using file = openUnblocked(path);
  const info = file.statSync();
  assertSame(path, seen, info);
  return readFully(file, info.size);
}

/**
 * The directory a turn's socket lives in: fresh, 0700, ours, gone with the turn.
 *
 * A unix socket has no owner check of its own that works everywhere, so the directory is the lock:
 * who may not enter it may not connect. Its name is random, so nobody can have put it there before,
 * and the parent is checked, because in a directory that others may write without the sticky bit
 * they could swap ours for theirs.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import { ownUid } from "../../base/files.ts";
import { randomHex } from "./token.ts";

/** What our directories are called. */
const DIRECTORY_PATTERN = /^plexum-[0-9a-f]{16}$/;
/** A `doctor --deep` that was killed leaves one of these behind. */
const DOCTOR_PATTERN = /^plexum-doctor-/;
/** The socket's name inside the directory. */
const SOCKET_NAME = "s";
/** Between a socket's name and 32 hex digits: the name of a file that proves who a relay is. */
const PROOF_INFIX = ".proof-";
/** Longest path of a unix socket, in bytes (`sun_path` less the closing NUL). */
const SOCKET_PATH_MAX = Deno.build.os === "linux" ? 107 : 103;

/** A directory made for one listener. */
export interface SocketDirectory {
  path: string;
  socket: string;
  /** Removes the directory and all that we put into it; what is gone already is fine. */
  remove(): void;
}

/**
 * Makes a fresh directory below `parent`. Throws where the parent is missing, may be tampered with
 * by others, or makes the socket's path too long.
 */
export function makeSocketDirectory(parent: string): SocketDirectory {
  const path = join(parent, `plexum-${randomHex(8)}`);
  const socket = join(path, SOCKET_NAME);
  checkSocketPath(socket);
  const owner = checkParent(parent);
  Deno.mkdirSync(path, { mode: 0o700 });
  // Whole: whoever runs as this user may have put something into it.
  const remove = () => removeExisting(path, { recursive: true });
  const made = Deno.lstatSync(path);
  if (!made.isDirectory || (made.mode ?? 0) & 0o077) {
    remove();
    throw new Error(
      `Cannot use ${path} for the tool socket: it is not a directory of mode 0700 ` +
        `(mode 0${
          ((made.mode ?? 0) & 0o777).toString(8)
        }): choose a runtime directory on a local file system`,
    );
  }
  if (owner !== 0 && owner !== made.uid) {
    remove();
    throw new Error(
      `Cannot put the tool socket into ${parent}: it belongs to another user (uid ${owner}): ` +
        `choose a runtime directory of your own`,
    );
  }
  return { path, socket, remove };
}

/** A fresh path beside the socket, for a file that one relay is to open. */
export function proofPath(socket: string): string {
  return `${socket}${PROOF_INFIX}${randomHex(16)}`;
}

/**
 * Removes a socket, and the proofs beside it: of a relay that is being looked at, or that was when the
 * plugin was killed. (Deno 2.4 leaves the socket behind when the listener closes, later versions do not.)
 */
export function removeSocket(socket: string): void {
  removeExisting(socket);
  const directory = dirname(socket);
  const proofs = `${basename(socket)}${PROOF_INFIX}`;
  for (const { name } of entriesOf(directory)) {
    if (name.startsWith(proofs)) removeExisting(join(directory, name));
  }
}

function entriesOf(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function removeExisting(path: string, options?: Deno.RemoveOptions): void {
  try {
    Deno.removeSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * A 0700 directory of ours with a fixed name, made where it is missing. The name gets our user id,
 * so that users who share `parent` do not get into each other's way. Throws where it is not ours.
 */
export function makeOwnDirectory(parent: string, name: string): string {
  checkParent(parent);
  const uid = ownUid();
  const path = join(parent, `${name}-${uid}`);
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const info = Deno.lstatSync(path);
  if (info.isDirectory && info.uid === uid && ((info.mode ?? 0) & 0o077) === 0) return path;
  throw new Error(
    `Cannot use ${path} for the tool socket: it must be a directory of this user with mode 0700 ` +
      `(uid ${info.uid}, mode 0${((info.mode ?? 0) & 0o777).toString(8)}): remove it`,
  );
}

/** Throws a RangeError where the kernel would refuse the path for its length. */
export function checkSocketPath(socket: string): void {
  const length = new TextEncoder().encode(socket).length;
  if (length > SOCKET_PATH_MAX) {
    throw new RangeError(
      `Cannot listen on ${socket}: the path has ${length} bytes, unix sockets take at most ` +
        `${SOCKET_PATH_MAX}: choose a shorter runtime directory, for example /tmp`,
    );
  }
}

/** The owner of `parent`; throws where anybody could replace what we put into it. */
function checkParent(parent: string): number | null {
  const info = Deno.statSync(parent);
  if (!info.isDirectory) {
    throw new Error(`Cannot put the tool socket into ${parent}: it is not a directory`);
  }
  const mode = info.mode ?? 0;
  if (mode & 0o022 && !(mode & 0o1000)) {
    throw new Error(
      `Cannot put the tool socket into ${parent}: others may write there and it is not sticky ` +
        `(mode 0${(mode & 0o7777).toString(8)}): choose another runtime directory or chmod it`,
    );
  }
  return info.uid;
}

/*
 * Clears away the sockets of plugins that died: done once, when a plugin starts.
 *
 * Only what is surely ours and surely dead goes: a directory with our kind of name, of mode 0700 and
 * our own, that has not changed for a minute (a doctor's for an hour) and whose socket nobody listens on.
 * It goes whole.
 */

/** A directory younger than this may be about to get its socket. */
export const SETTLED_MS = 60_000;
const DOCTOR_MS = 60 * 60_000;

/** Removes stale directories below `runtimeDir`; returns how many. Never rejects. */
export async function sweepStaleSockets(runtimeDir: string, now = Date.now()): Promise<number> {
  let swept = 0;
  try {
    const names = Array.from(Deno.readDirSync(runtimeDir), (entry) => entry.name)
      .filter((name) => DIRECTORY_PATTERN.test(name) || DOCTOR_PATTERN.test(name));
    if (names.length === 0) return 0;
    const uid = ownUid();
    for (const name of names) {
      if (await sweep(join(runtimeDir, name), uid, now)) swept++;
    }
  } catch {
    // What cannot be read or removed is not ours to clear away.
  }
  return swept;
}

async function sweep(directory: string, uid: number | null, now: number): Promise<boolean> {
  try {
    const info = Deno.lstatSync(directory);
    const ours = info.isDirectory && info.uid === uid && ((info.mode ?? 0) & 0o777) === 0o700;
    const settledMs = DOCTOR_PATTERN.test(basename(directory)) ? DOCTOR_MS : SETTLED_MS;
    const settled = now - (info.mtime?.getTime() ?? now) >= settledMs;
    if (!ours || !settled || await somebodyListens(join(directory, SOCKET_NAME))) return false;
    Deno.removeSync(directory, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether a process listens on the socket. Where that cannot be told, it is taken to be so. */
export async function somebodyListens(socket: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path: socket })).close();
    return true;
  } catch (error) {
    const { ConnectionRefused, NotFound } = Deno.errors;
    return !(error instanceof ConnectionRefused || error instanceof NotFound);
  }
}

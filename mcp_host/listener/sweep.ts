/**
 * Clears away the sockets of plugins that died: done once, when a plugin starts.
 *
 * Only what is surely ours and surely dead goes: a directory with our kind of name, of mode 0700 and
 * our own, that has not changed for a minute and whose socket nobody listens on. Nothing but the
 * socket, its proofs and the directory is removed; a directory with anything else in it stays.
 *
 * @module
 */
import { join } from "@std/path";
import { ownUid } from "../../base/open_file.ts";
import { DIRECTORY_PATTERN, removeSocket, SOCKET_NAME } from "./socket_dir.ts";

/** A directory younger than this may be about to get its socket. */
export const SETTLED_MS = 60_000;

/** Removes stale directories below `runtimeDir`; returns how many. Never rejects. */
export async function sweepStaleSockets(runtimeDir: string, now = Date.now()): Promise<number> {
  let swept = 0;
  try {
    const names = Array.from(Deno.readDirSync(runtimeDir), (entry) => entry.name)
      .filter((name) => DIRECTORY_PATTERN.test(name));
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
    const settled = now - (info.mtime?.getTime() ?? now) >= SETTLED_MS;
    const socket = join(directory, SOCKET_NAME);
    if (!ours || !settled || await somebodyListens(socket)) return false;
    removeSocket(socket);
    Deno.removeSync(directory);
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

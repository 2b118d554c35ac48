/**
 * codex's own lock on a thread, so that no record is changed under a codex that is writing.
 *
 * From 0.148 on, a codex that has a thread open holds `flock` on
 * `$CODEX_HOME/thread-writer-locks/<thread id>.lock` for as long as it lives. Taking and removing such a
 * lock is done under `.coordination.lock` in the same directory (seen with strace on 0.150.1 and 0.169.0):
 *
 * - coordination lock → open and try the thread's lock → coordination lock released;
 * - at the end: coordination lock → thread's lock released and its file removed.
 *
 * We do the same, and keep the coordination lock while a record changes: a codex that starts meanwhile
 * waits for it (measured on both versions: it starts normally when the lock is held for 1.5 s), whereas it
 * would fail at once on the thread's lock. Older versions have neither lock nor directory; for them only
 * our own turns are known, and an edit in place does no harm to what they append.
 *
 * @module
 */

import { join } from "@std/path";
import { lockReleased, lockWithin } from "../base/lock.ts";

const DIRECTORY = "thread-writer-locks";
/** codex holds the coordination lock for microseconds. */
const COORDINATION_MS = 5000;
/** A free lock is granted at once; this is for the thread pool to come round to it. */
const WRITER_MS = 50;

/**
 * Runs `work` while no codex writes the thread, and none can begin to. Returns `undefined`, without
 * running it, when a codex has the thread open. Throws when the coordination lock is not to be had.
 */
export async function whileNoWriter<T>(
  codexHome: string,
  threadId: string,
  work: () => T,
): Promise<{ result: T } | undefined> {
  const directory = join(codexHome, DIRECTORY);
  if (!isDirectory(directory)) return { result: work() };
  const coordinationPath = join(directory, ".coordination.lock");
  using coordination = await lockWithin(coordinationPath, COORDINATION_MS);
  if (coordination === undefined) {
    throw new Error(
      `Cannot change thread ${threadId}: ${coordinationPath} was held by another process for ` +
        `${COORDINATION_MS} ms. Find out who holds it (fuser) and try again.`,
    );
  }
  const path = writerLockPath(codexHome, threadId);
  using writer = await lockWithin(path, WRITER_MS);
  if (writer === undefined) return undefined;
  try {
    return { result: work() };
  } finally {
    Deno.removeSync(path); // as codex does, under the coordination lock
  }
}

/**
 * Resolves when no codex has the thread open any more, or when `signal` aborts. The kernel wakes us: it is
 * a wait for codex's own lock, given back at once.
 */
export async function writerGone(
  codexHome: string,
  threadId: string,
  signal: AbortSignal,
): Promise<void> {
  const path = writerLockPath(codexHome, threadId);
  try {
    await lockReleased(path, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Where a codex that has the thread open keeps its lock. */
export function writerLockPath(codexHome: string, threadId: string): string {
  return join(codexHome, DIRECTORY, `${threadId}.lock`);
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

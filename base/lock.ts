/**
 * `flock` with a limit: one process at a time. The system lets go of a lock when its holder dies, so a
 * lock file that was left over blocks nobody.
 *
 * Deno 2.9 can try a lock; Deno 2.4 can only wait for one. There the wait is raced against a timer, and a
 * wait that lost stays behind in the runtime: it is granted when the holder lets go, and since nobody wants
 * it any more, given back in the same moment. Per path at most one such wait is left behind; who comes
 * later waits for that one first.
 *
 * @module
 */
import { resolve } from "@std/path";
import { ProgramError, runProgram } from "./program.ts";
import { pause, within } from "./timer.ts";

/** A lock that is held until it is disposed of. */
export interface HeldLock extends Disposable {
  readonly file: Deno.FsFile;
}

/** 2.9 and later. */
interface TryLock {
  tryLock(exclusive: boolean): Promise<boolean>;
}

const POLL_MS = 5;
const LOOK_MS = 5_000;
const leftBehind = new Map<string, Promise<void>>();

/** Takes the lock on `path`, a file that is created where it is missing; `undefined` if not in time. */
export async function lockWithin(path: string, limitMs: number): Promise<HeldLock | undefined> {
  return await take(path, { read: true, write: true, create: true, mode: 0o600 }, limitMs);
}

/** The same for a file that must be there already; throws NotFound where it is not. */
export async function lockExisting(path: string, limitMs: number): Promise<HeldLock | undefined> {
  return await take(path, { read: true, write: true }, limitMs);
}

/** Runs `work` while holding the lock on `path`. Throws where it cannot be had within `limitMs`. */
export async function withLock<T>(
  path: string,
  limitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  using lock = await lockWithin(path, limitMs);
  if (lock === undefined) {
    throw new Error(`Cannot lock ${path}: it is held for more than ${limitMs} ms`);
  }
  return await work();
}

/**
 * Whether somebody holds the lock on `path` now; false where there is no such file. Does not wait, and
 * leaves nothing behind: where Deno cannot try a lock, `flock` can. Where that is missing, too, the answer
 * is false, and only waiting tells.
 */
export async function isLocked(path: string): Promise<boolean> {
  try {
    using file = Deno.openSync(path, { read: true, write: true });
    if (canTry(file)) return !await file.tryLock(true);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    const args = ["-n", resolve(path), "true"];
    return (await runProgram("flock", args, { timeMs: LOOK_MS, lookup: true })).code === 1;
  } catch (error) {
    if (error instanceof ProgramError) return false;
    throw error;
  }
}

/** Resolves when no wait for any lock is left behind any more; for a clean end. */
export async function noWaitLeftBehind(): Promise<void> {
  await Promise.all(leftBehind.values());
}

async function take(
  path: string,
  how: Deno.OpenOptions,
  limitMs: number,
): Promise<HeldLock | undefined> {
  const before = leftBehind.get(path);
  if (before !== undefined && !await within(limitMs, before)) return undefined;
  const file = Deno.openSync(path, how);
  let granted: boolean;
  try {
    granted = canTry(file) ? await tryFor(file, limitMs) : await waitFor(file, path, limitMs);
  } catch (error) {
    file.close();
    throw error;
  }
  if (granted) return { file, [Symbol.dispose]: () => file.close() };
  file.close();
  return undefined;
}

function canTry(file: object): file is TryLock {
  return "tryLock" in file && typeof file.tryLock === "function";
}

async function tryFor(file: TryLock, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await file.tryLock(true))) {
    if (performance.now() >= end) return false;
    await pause(POLL_MS);
  }
  return true;
}

async function waitFor(file: Deno.FsFile, path: string, limitMs: number): Promise<boolean> {
  const lock = file.lock(true);
  if (await within(limitMs, lock)) return true;
  remember(path, lock);
  return false;
}

function remember(path: string, wait: Promise<unknown>): void {
  leftBehind.set(path, wait.then(() => {}, () => {}).finally(() => leftBehind.delete(path)));
}

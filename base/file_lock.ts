/**
 * One process at a time: a lock file, held for the length of some work.
 *
 * The lock is flock's: the system lets go of it when its holder dies, so a left-over file blocks
 * nobody.
 *
 * @module
 */

/** Runs `work` while holding the lock. Rejects where it cannot be had within `timeoutMs`. */
export async function withFileLock<T>(
  path: string,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  const locked = file.lock(true);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Cannot lock ${path}: it is held for more than ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    await Promise.race([locked, late.promise]);
  } catch (error) {
    // A request cannot be taken back: the lock is given up when it is granted.
    locked.then(() => file.close(), () => file.close());
    throw error;
  } finally {
    clearTimeout(timer);
  }
  try {
    return await work();
  } finally {
    file.close();
  }
}

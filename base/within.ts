/**
 * Waiting with a bound.
 *
 * @module
 */

/** Waits for `event`, at most `ms`; true when it came. Rejects as `event` does. */
export async function within(ms: number, event: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([event.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}

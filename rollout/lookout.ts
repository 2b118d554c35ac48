/**
 * Waits for something by looking again and again, ever more seldom.
 *
 * Not by file events: in Deno 2.4, `Deno.watchFs` keeps every watcher that was ever closed, and each
 * event is held against all of them. After 400 turns an event costs 2.4 ms instead of 0.3 ms, and some
 * are lost. A look costs some microseconds, needs no thread and no inotify instance, and finds what
 * file systems without events hold.
 *
 * @module
 */

/** The first pause; each one that follows is twice as long. */
const FIRST_MS = 8;

/**
 * Resolves when `seen` is true or `signal` aborts. Looks at once, after 8 ms, 16 ms, …, and at least
 * every `longestMs()`. Rejects as `seen` throws.
 */
export function lookUntil(
  seen: () => boolean,
  longestMs: () => number,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pauseMs = FIRST_MS;
  const look = (): void => {
    try {
      if (seen()) return resolve();
    } catch (error) {
      return reject(error);
    }
    timer = setTimeout(look, Math.min(pauseMs, longestMs()));
    pauseMs *= 2;
  };
  const end = (): void => resolve();
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  else look();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  });
}

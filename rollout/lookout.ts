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
import { pause } from "./pause.ts";

/** The first pause; each one that follows is twice as long. */
const FIRST_MS = 2;

/**
 * Resolves when `seen` is true or `signal` aborts. Looks at once, after 2 ms, 4 ms, …, and at least
 * every `longestMs()`. Rejects as `seen` throws.
 */
export async function lookUntil(
  seen: () => boolean,
  longestMs: () => number,
  signal: AbortSignal,
): Promise<void> {
  for (let ms = FIRST_MS; !signal.aborted && !seen(); ms *= 2) {
    await pause(Math.min(ms, longestMs()), signal);
  }
}

/**
 * Waits until a file changed, by file events, with a slow look of its own as safety net.
 *
 * A change between two waits is remembered, so none is lost: watch, read, wait, read, wait, …
 *
 * @module
 */

import { basename } from "@std/path";
import { watchDirectory } from "./watch.ts";

/** How late a change may be noticed when no file event tells of it. */
const SAFETY_NET_MS = 1000;
/** The same where the system gives no file events at all (inotify limit). */
const WITHOUT_EVENTS_MS = 100;

/** One waiter's view of a directory, or of one file in it. */
export class ChangeSignal {
  #directory: string | undefined;
  #stop: (() => void) | undefined;
  #name: string | undefined;
  #changed = false;
  #wake: (() => void) | undefined;
  #closed = false;

  /** Watches `directory` from now on instead of what was watched before; only its file `name`, if given. */
  watch(directory: string, name?: string): void {
    this.#name = name;
    if (this.#closed || directory === this.#directory) return;
    this.#stop?.();
    this.#stop = undefined;
    this.#directory = directory;
    this.#changed = true; // it may have changed before it was watched
    try {
      this.#stop = watchDirectory(directory, (paths) => this.#notice(paths));
    } catch {
      // No watcher to be had: the timer in `wait` does it alone.
    }
  }

  /**
   * Resolves on a change since the last wait, after the safety net's time, or when `signal` aborts.
   * Never rejects. One waiter at a time.
   */
  wait(signal: AbortSignal): Promise<void> {
    if (this.#changed || this.#closed || signal.aborted) {
      this.#changed = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        this.#changed = false;
        resolve();
      };
      const timer = setTimeout(wake, this.#stop ? SAFETY_NET_MS : WITHOUT_EVENTS_MS);
      signal.addEventListener("abort", wake);
      this.#wake = wake;
    });
  }

  /** Stops watching for good and lets a waiter go. */
  close(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#closed = true;
    this.#wake?.();
  }

  #notice(paths: readonly string[]): void {
    if (this.#name !== undefined && !paths.some((path) => basename(path) === this.#name)) return;
    this.#changed = true;
    this.#wake?.();
  }
}

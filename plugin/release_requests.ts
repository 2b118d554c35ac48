/**
 * Threads that a person wants to have: `sessions release` leaves a file with the thread's name in the state
 * directory, and the plugin, which keeps the thread loaded, lets it go and removes the file. A file, because
 * another process cannot ask us: the host holds our stdin, and we may live in another container.
 *
 * @module
 */
import { removeIfThere } from "../base/files.ts";
import { startTimer } from "../base/timer.ts";
import type { StateStore } from "../rollout/state/state.ts";
import type { Transports } from "../runner/transports.ts";

/** How often they are looked for: one system call for each codex that is kept. */
const LOOK_MS = 500;

/** Looks for them as long as a codex is kept. */
export class ReleaseRequests implements Disposable {
  readonly #store: StateStore;
  readonly #threads: Pick<Transports, "snapshot" | "free">;
  #stopWaiting: (() => void) | undefined;

  constructor(store: StateStore, threads: Pick<Transports, "snapshot" | "free">) {
    this.#store = store;
    this.#threads = threads;
  }

  /** To be called when a codex may have been left with a thread. */
  watch(): void {
    if (this.#stopWaiting !== undefined || this.#threads.snapshot().servers.length === 0) return;
    this.#stopWaiting = startTimer(LOOK_MS, () => {
      this.#stopWaiting = undefined;
      this.#look();
      this.watch();
    });
  }

  [Symbol.dispose](): void {
    this.#stopWaiting?.();
  }

  #look(): void {
    for (const { threadId } of this.#threads.snapshot().servers) {
      if (threadId === undefined) continue;
      // A turn that runs is waited for.
      if (removeIfThere(this.#store.threadFile(threadId, "release"))) {
        void this.#threads.free(threadId);
      }
    }
  }
}

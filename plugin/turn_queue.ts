/**
 * Who may run when: one turn at a time per workspace, first come first served; over all workspaces
 * as many as are allowed, oldest first.
 *
 * @module
 */

interface Waiting {
  key: string;
  start(): void;
}

/** Ends a turn's stay; call it exactly once. */
export type Leave = () => void;

/** The queue of all turns of this process. */
export class TurnQueue {
  readonly #limit: () => number;
  readonly #running = new Set<string>();
  #waiting: Waiting[] = [];

  /** @param limit Turns that may run at once; 0 for any number. Asked whenever a place is given. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /**
   * Keeps turns of `key` from beginning while something short is done; `undefined` when one runs.
   * Does not wait, and does not count against the limit for long.
   */
  hold(key: string): Leave | undefined {
    if (this.#running.has(key)) return undefined;
    this.#running.add(key);
    return () => this.#release(key);
  }

  /** Waits for a place. `undefined` when `signal` aborted first; nothing is held then. */
  enter(key: string, signal: AbortSignal): Promise<Leave | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const entry: Waiting = {
        key,
        start: () => {
          signal.removeEventListener("abort", giveUp);
          this.#running.add(key);
          resolve(() => this.#release(key));
        },
      };
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        resolve(undefined);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(entry);
      this.#admit();
    });
  }

  #release(key: string): void {
    this.#running.delete(key);
    this.#admit();
  }

  #admit(): void {
    const limit = this.#limit();
    this.#waiting = this.#waiting.filter((entry) => {
      const full = limit > 0 && this.#running.size >= limit;
      if (full || this.#running.has(entry.key)) return true;
      entry.start();
      return false;
    });
  }
}

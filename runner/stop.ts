/**
 * Ending a turn, or one run of it, from outside of codex.
 *
 * @module
 */
import type { Watch } from "./watchdog.ts";

/** Why codex is ended although it has not said its last word. */
export type Stop =
  | { by: "cancel" }
  | { by: "watchdog"; watch: Watch; limitMs: number }
  /** codex began another thread than the one it was asked to resume. */
  | { by: "stray"; threadId: string }
  /** codex lets the agent do more than was asked for. */
  | { by: "too_free"; what: string }
  /** codex began the turn without the host's tools. */
  | { by: "toolless" };

/** Carries the first reason to stop to whoever works or waits. */
export class Stopper implements Disposable {
  readonly #control = new AbortController();
  #why: Stop | undefined;
  #unlink = (): void => {};

  /** Stops whatever runs under it. */
  get signal(): AbortSignal {
    return this.#control.signal;
  }

  /** The reason; `undefined` as long as there is none. */
  get why(): Stop | undefined {
    return this.#why;
  }

  /** @param outer Stops this one, too: for that reason, or, a bare signal, as a cancel. */
  constructor(outer: Stopper | AbortSignal) {
    const signal = outer instanceof Stopper ? outer.signal : outer;
    const follow = () => this.stop(outer instanceof Stopper && outer.why || { by: "cancel" });
    signal.addEventListener("abort", follow, { once: true });
    this.#unlink = () => signal.removeEventListener("abort", follow);
    if (signal.aborted) follow();
  }

  /** Stops; only the first reason counts. */
  stop(why: Stop): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#control.abort();
  }

  [Symbol.dispose](): void {
    this.#unlink();
  }
}

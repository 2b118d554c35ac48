/**
 * Starting codex once more: only where nothing was told yet and nobody has to mend anything first.
 *
 * @module
 */
import type { Failure } from "../turn_event.ts";

/** First pause before codex is started again; each further one is three times as long. */
const FIRST_PAUSE_MS = 200;

/** Counts the starts of one turn. */
export class Retries {
  #left: number;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param allowed Further starts after the first; 0 for none. */
  constructor(allowed: number) {
    this.#left = allowed;
  }

  /** How long to wait before the next start, or `undefined` when there is to be none. */
  pauseAfter({ kind }: Failure): number | undefined {
    const passing = kind === "session_busy" || kind === "crashed" || kind === "mcp_unavailable";
    if (!passing || this.#left === 0) return undefined;
    this.#left--;
    const pauseMs = this.#pauseMs;
    this.#pauseMs *= 3;
    return pauseMs;
  }
}

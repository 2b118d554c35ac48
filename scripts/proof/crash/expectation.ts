/**
 * What a call must be after a crash, given what was asked and what was answered before it.
 *
 * What was acknowledged must be there; of what was asked after that, any may be.
 */
import type { CallState, Op } from "./victim.ts";

/** One call's history since it was last looked at. */
export class Expectation {
  #possible: CallState[];
  /** Index in `#possible` of the newest state that was acknowledged. */
  #acknowledged = 0;

  constructor(state: CallState) {
    this.#possible = [state];
  }

  /** The op is asked for; returns what to call when it is acknowledged. */
  ask(op: Op): () => void {
    const index = this.#possible.push(op) - 1;
    return () => this.#acknowledged = Math.max(this.#acknowledged, index);
  }

  /** Throws where `state` is not possible; else it is what counts from now on. */
  settle(id: string, state: CallState): void {
    const possible = this.#possible.slice(this.#acknowledged);
    if (!possible.includes(state)) {
      throw new Error(`${id} is ${state}, after ${this.#possible}: must be one of ${possible}`);
    }
    this.#possible = [state];
    this.#acknowledged = 0;
  }
}

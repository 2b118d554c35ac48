/**
 * Keeps `started` the first event of a turn: what is to be said earlier waits for it. A turn that
 * never starts says nothing at all; its failure carries the reason.
 *
 * @module
 */
import type { Emit, TurnEvent } from "./turn_event.ts";

/** Holds status events back until the turn has started. */
export class StartGate {
  readonly #emit: Emit;
  #held: TurnEvent[] | undefined = [];

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Whether anything has been told. */
  get open(): boolean {
    return this.#held === undefined;
  }

  /** Passes an event on; `started` and `ended` let out what was held. */
  async emit(event: TurnEvent): Promise<void> {
    if (this.#held === undefined) return await this.#emit(event);
    if (event.type !== "started" && event.type !== "ended") {
      this.#held.push(event);
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    if (event.type === "started") await this.#emit(event);
    for (const earlier of held) await this.#emit(earlier);
    if (event.type === "ended") await this.#emit(event);
  }

  /** A `status` event. */
  async status(message: string, data?: Record<string, unknown>): Promise<void> {
    await this.emit({ type: "status", message, data });
  }
}

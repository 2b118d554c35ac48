/**
 * Keeps the frame of a turn: `started` is the first event and `ended` the last. What is to be said
 * earlier waits, what comes later is dropped. A turn that never starts says nothing but, when it was
 * cancelled, its `ended`; its failure carries the reason.
 *
 * @module
 */
import type { Emit, Failure, TurnEnd, TurnEvent } from "./turn_event.ts";

/** How a turn is to end: `failure`, where there is one, is told right before. */
export interface TurnFinish {
  end: TurnEnd;
  failure?: Failure | undefined;
}

/** Lets a turn's events out in their frame. */
export class StartGate {
  readonly #emit: Emit;
  /** What waits for `started`; `undefined` once that is out. */
  #held: TurnEvent[] | undefined = [];
  #ended = false;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Whether anything has been told. */
  get open(): boolean {
    return this.#held === undefined;
  }

  /** Passes an event on. */
  async emit(event: TurnEvent): Promise<void> {
    if (this.#ended) return;
    if (this.#held === undefined) return await this.#emit(event);
    if (event.type !== "started") {
      this.#held.push(event);
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    // All of them are handed over before the first is awaited: nobody gets in between.
    await Promise.all([event, ...held].map((one) => this.#emit(one)));
  }

  /** A `status` event. */
  async status(message: string, data?: Record<string, unknown>): Promise<void> {
    await this.emit({ type: "status", message, data });
  }

  /** Ends the turn; of one that was cancelled before it started this is the only event. */
  async end({ end, failure }: TurnFinish): Promise<TurnEnd> {
    this.#held = undefined;
    if (failure !== undefined) await this.emit({ type: "error", failure });
    const last = this.emit({ type: "ended", ...end });
    this.#ended = true;
    await last;
    return end;
  }
}

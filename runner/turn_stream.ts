/**
 * The stream of a turn's events: the one place that frames, numbers, measures and logs them.
 *
 * `message_start` is the first event and `message_end` the last. What is to be said earlier waits, what
 * comes later is dropped. A turn that never starts says nothing but, when it was cancelled, its
 * `message_end`; its failure carries the reason.
 *
 * @module
 */
import { digestOf, TurnMeter, type TurnSummary } from "./turn_summary.ts";
import { type Failure, type TurnEnd, TurnError, type TurnEvent } from "./turn_event.ts";

/** How a turn is to end: `failure`, where there is one, is told right before. */
export interface TurnFinish {
  end: TurnEnd;
  failure?: Failure | undefined;
}

/** Whose turn it is, and who is told. */
export interface TurnStreamOptions {
  agentId: string;
  /** As the host named it. */
  model: string;
  /** Takes the events in order, numbered from 0; what it returns is awaited before codex is read on. */
  send(event: TurnEvent, seq: number): Promise<void>;
  log?: (level: "debug" | "info", message: string, data: Record<string, unknown>) => void;
  /** Whether each event is worth a log line; asked for each. */
  logsEvents?: () => boolean;
}

/** What waits for the start: so many events, and so many characters in them. */
const HELD_EVENTS = 1000;
const HELD_CHARACTERS = 1024 * 1024;

/** Tells one turn. */
export class TurnStream {
  readonly #options: TurnStreamOptions;
  readonly #meter: TurnMeter;
  /** What waits for the start; `undefined` once that is out. */
  #held: TurnEvent[] | undefined = [];
  #room = HELD_CHARACTERS;
  #leftOut = 0;
  #seq = 0;
  #ended = false;

  constructor(options: TurnStreamOptions) {
    this.#options = options;
    this.#meter = new TurnMeter(options.agentId, options.model);
  }

  /** Whether anything has been told. */
  get open(): boolean {
    return this.#held === undefined;
  }

  /** What the turn came to so far. */
  get summary(): TurnSummary {
    return this.#meter.summary();
  }

  /** Whether its events are logged. */
  get isLogged(): boolean {
    return this.#options.logsEvents?.() ?? false;
  }

  /** codex announced its thread: what waited goes out behind that. */
  async start(thread_id: string, resumed: boolean): Promise<void> {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (this.#leftOut > 0) {
      const message = `${this.#leftOut} more messages came before codex announced its thread`;
      held.push({ type: "status", message, data: { level: "warning" } });
    }
    const { model } = this.#options;
    // All of them are handed over before the first is awaited: nobody gets in between.
    await Promise.all(
      [{ type: "message_start" as const, model, thread_id, resumed }, ...held]
        .map((event) => this.#send(event)),
    );
  }

  /** Passes an event on. */
  async emit(event: TurnEvent): Promise<void> {
    if (this.#held === undefined) await this.#send(event);
    else this.#hold(event, this.#held);
  }

  /** A `status` event. */
  async status(message: string, data?: Record<string, unknown>): Promise<void> {
    await this.emit({ type: "status", message, data });
  }

  /** Ends the turn; of one that was cancelled before it started this is the only event. */
  async end({ end, failure }: TurnFinish): Promise<TurnEnd> {
    this.#held = undefined;
    if (failure !== undefined) await this.#send({ type: "error", error: failure });
    const last = this.#send({ type: "message_end", ...end });
    this.#ended = true;
    await last;
    this.#options.log?.("info", "codex turn complete", { ...this.summary });
    return end;
  }

  /** The turn could not start, and nothing is told of it. */
  refuse(error: unknown): void {
    this.#ended = true;
    this.#meter.failed(error instanceof TurnError ? error.failure : { kind: "internal" });
    this.#options.log?.("info", "codex turn refused", { ...this.summary });
  }

  #hold(event: TurnEvent, held: TurnEvent[]): void {
    this.#room -= JSON.stringify(event).length;
    if (held.length < HELD_EVENTS && this.#room >= 0) held.push(event);
    else this.#leftOut++;
  }

  async #send(event: TurnEvent): Promise<void> {
    if (this.#ended) return;
    this.#meter.see(event);
    if (this.isLogged) this.#options.log?.("debug", "turn event", digestOf(event));
    await this.#options.send(event, this.#seq++);
  }
}

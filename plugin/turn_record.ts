/**
 * What is written down about a turn: its events as size and digest (`debug`), one summary line in
 * the log, the counters.
 *
 * @module
 */
import { type Emit, TurnError } from "../runner/turn_event.ts";
import type { Log } from "./log.ts";
import type { Stats } from "./stats.ts";
import { eventDigest, summaryData, TurnMeter } from "./turn_meter.ts";

/** Writes down one turn; made when the turn begins. */
export class TurnRecord {
  readonly #meter: TurnMeter;
  readonly #log: Log;
  readonly #stats: Stats | undefined;

  /** @param stats Left out for turns that no host asked for. */
  constructor(who: { agentId: string; model: string }, log: Log, stats?: Stats) {
    this.#meter = new TurnMeter(who.agentId, who.model);
    this.#log = log;
    this.#stats = stats;
    stats?.turnStarted();
  }

  /** The same `emit`, looked at. */
  observing(emit: Emit): Emit {
    return (event) => {
      this.#meter.see(event);
      if (this.#log.level === "debug") this.#log.write("debug", "turn event", eventDigest(event));
      return emit(event);
    };
  }

  /** What the turn came to so far. */
  summary(): ReturnType<TurnMeter["summary"]> {
    return this.#meter.summary();
  }

  /** The turn told its end. */
  ended(): void {
    const summary = this.#meter.summary();
    this.#stats?.turnEnded(summary);
    this.#log.write("info", "codex turn complete", summaryData(summary));
  }

  /** The turn could not start. */
  refused(error: unknown): void {
    this.#meter.failed(error instanceof TurnError ? error.failure : { kind: "internal" });
    const summary = this.#meter.summary();
    this.#stats?.turnRefused(summary);
    this.#log.write("info", "codex turn refused", summaryData(summary));
  }
}

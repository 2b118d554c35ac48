/**
 * The stream of a turn's events: the one place that frames, numbers, measures and logs them.
 *
 * `message_start` is the first event and `message_end` the last. What is to be said earlier waits, what
 * comes later is dropped. A turn that never starts says nothing but, when it was cancelled, its
 * `message_end`; its failure carries the reason.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  type ErrorKind,
  type Failure,
  type StopReason,
  type TurnEnd,
  TurnError,
  type TurnEvent,
  type TurnUsage,
} from "./turn_event.ts";

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

/*
 * Measures one turn while it is told: for the summary in the log and for the counters.
 *
 * Payloads are counted, never kept.
 */

/**
 * What a turn came to, in the names that log and stats have. Times are milliseconds since the turn was
 * asked for, bytes are UTF-8.
 */
export interface TurnSummary extends Partial<TurnUsage> {
  agent: string;
  model: string;
  /** Empty when codex never announced one. */
  thread: string;
  resumed: boolean;
  stop_reason: StopReason;
  error: ErrorKind | undefined;
  /** codex's exit code or signal, where that was part of a failure. */
  exit: number | string | undefined;
  /** `undefined` when there was no event. */
  ms_to_first_event: number | undefined;
  ms_total: number;
  tool_calls: number;
  host_tool_calls: number;
  tool_errors: number;
  tool_output_bytes: number;
  text_bytes: number;
}

class TurnMeter {
  readonly #started = performance.now();
  readonly #summary: TurnSummary;

  constructor(agent: string, model: string) {
    this.#summary = {
      agent,
      model,
      thread: "",
      resumed: false,
      stop_reason: "error",
      error: undefined,
      exit: undefined,
      ms_to_first_event: undefined,
      ms_total: 0,
      tool_calls: 0,
      host_tool_calls: 0,
      tool_errors: 0,
      tool_output_bytes: 0,
      text_bytes: 0,
    };
  }

  /** Takes an event into account. */
  see(event: TurnEvent): void {
    const summary = this.#summary;
    summary.ms_to_first_event ??= this.#elapsed();
    switch (event.type) {
      case "message_start":
        summary.thread = event.thread_id;
        summary.resumed = event.resumed;
        return;
      case "text_delta":
        summary.text_bytes += byteLength(event.text);
        return;
      case "tool_call_start":
        summary.tool_calls++;
        if (event.source === "host") summary.host_tool_calls++;
        return;
      case "tool_result":
        summary.tool_output_bytes += outputBytes(event.output);
        if (event.is_error) summary.tool_errors++;
        return;
      case "error":
        this.failed(event.error);
        return;
      case "message_end":
        Object.assign(summary, event.usage, { stop_reason: event.stop_reason });
        if (event.thread_id !== "") summary.thread = event.thread_id;
        return;
      case "text_retracted":
      case "thinking_delta":
      case "tool_call_end":
      case "status":
        return;
    }
  }

  /** The turn failed, be it before its first event. */
  failed(failure: Pick<Failure, "kind" | "exit_code" | "signal">): void {
    this.#summary.error = failure.kind;
    this.#summary.exit = failure.signal ?? failure.exit_code;
  }

  /** What the turn came to, now that it is over. */
  summary(): TurnSummary {
    return { ...this.#summary, ms_total: this.#elapsed() };
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#started);
  }
}

/** An event without what it carries: payloads as size and digest. */
function digestOf(event: TurnEvent): Record<string, unknown> {
  switch (event.type) {
    case "text_delta":
    case "thinking_delta":
      return { event: event.type, ...digest(event.text) };
    case "text_retracted":
      return { event: event.type, index: event.index };
    case "tool_call_start":
      return { event: event.type, id: event.id, name: event.name, source: event.source };
    case "tool_call_end":
      return { event: event.type, id: event.id, ...digest(event.arguments) };
    case "tool_result": {
      const { id, output, is_error, part } = event;
      const text = typeof output === "string" ? output : JSON.stringify(output);
      return { event: event.type, id, is_error, part, ...digest(text) };
    }
    case "message_start":
      return { event: event.type, thread: event.thread_id, resumed: event.resumed };
    case "error":
      return { event: event.type, kind: event.error.kind };
    case "message_end":
      return { event: event.type, stop_reason: event.stop_reason };
    case "status":
      return { event: event.type, ...digest(event.message) };
  }
}

function digest(text: string): { bytes: number; sha256: string } {
  const sha256 = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { bytes: byteLength(text), sha256 };
}

function outputBytes(output: string | unknown[]): number {
  return byteLength(typeof output === "string" ? output : JSON.stringify(output));
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * Measures one turn while it is told: for the summary in the log and for the counters.
 *
 * Payloads are counted, never kept.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { ErrorKind, Failure, StopReason, TurnEvent, TurnUsage } from "./turn_event.ts";

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

/** Watches the events of one turn. */
export class TurnMeter {
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
export function digestOf(event: TurnEvent): Record<string, unknown> {
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

/**
 * Measures one turn while it is told: for the summary in the log and for the counters.
 *
 * Payloads are counted, never kept.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { ErrorKind, StopReason, TurnEvent } from "../runner/turn_event.ts";
import type { Usage } from "../rollout/records/events.ts";

/** What a turn came to. Times are milliseconds since the turn was asked for, bytes are UTF-8. */
export interface TurnSummary {
  agent: string;
  model: string;
  /** Empty when codex never announced one. */
  thread: string;
  resumed: boolean;
  stopReason: StopReason;
  error: ErrorKind | undefined;
  /** codex's exit code or signal, where that was part of a failure. */
  exit: number | string | undefined;
  /** `undefined` when there was no event. */
  msToFirstEvent: number | undefined;
  msTotal: number;
  usage: Usage | undefined;
  toolCalls: number;
  hostToolCalls: number;
  toolErrors: number;
  toolOutputBytes: number;
  textBytes: number;
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
      stopReason: "error",
      error: undefined,
      exit: undefined,
      msToFirstEvent: undefined,
      msTotal: 0,
      usage: undefined,
      toolCalls: 0,
      hostToolCalls: 0,
      toolErrors: 0,
      toolOutputBytes: 0,
      textBytes: 0,
    };
  }

  /** Takes an event into account. */
  see(event: TurnEvent): void {
    const summary = this.#summary;
    summary.msToFirstEvent ??= this.#elapsed();
    switch (event.type) {
      case "started":
        summary.thread = event.threadId;
        summary.resumed = event.resumed;
        return;
      case "text":
        summary.textBytes += byteLength(event.text);
        return;
      case "call_started":
        summary.toolCalls++;
        if (event.source === "host") summary.hostToolCalls++;
        return;
      case "call_result":
        summary.toolOutputBytes += outputBytes(event.output);
        if (event.isError) summary.toolErrors++;
        return;
      case "error":
        this.failed(event.failure);
        return;
      case "ended":
        summary.stopReason = event.stopReason;
        summary.usage = event.usage;
        if (event.threadId !== "") summary.thread = event.threadId;
        return;
      case "thinking":
      case "call_ended":
      case "status":
        return;
    }
  }

  /** The turn failed, be it before its first event. */
  failed(failure: { kind: ErrorKind; exitCode?: number; signal?: string }): void {
    this.#summary.error = failure.kind;
    this.#summary.exit = failure.signal ?? failure.exitCode;
  }

  /** What the turn came to, now that it is over. */
  summary(): TurnSummary {
    return { ...this.#summary, msTotal: this.#elapsed() };
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#started);
  }
}

/** The summary in the words of the log. */
export function summaryData(summary: TurnSummary): Record<string, unknown> {
  const { usage } = summary;
  return {
    agent: summary.agent,
    model: summary.model,
    thread: summary.thread,
    resumed: summary.resumed,
    stop_reason: summary.stopReason,
    error: summary.error,
    exit: summary.exit,
    ms_to_first_event: summary.msToFirstEvent,
    ms_total: summary.msTotal,
    input_tokens: usage?.inputTokens,
    cached_input_tokens: usage?.cachedInputTokens,
    output_tokens: usage?.outputTokens,
    reasoning_output_tokens: usage?.reasoningOutputTokens,
    tool_calls: summary.toolCalls,
    host_tool_calls: summary.hostToolCalls,
    tool_errors: summary.toolErrors,
    tool_output_bytes: summary.toolOutputBytes,
    text_bytes: summary.textBytes,
  };
}

/** An event without what it carries: payloads as size and digest. */
export function eventDigest(event: TurnEvent): Record<string, unknown> {
  switch (event.type) {
    case "text":
    case "thinking":
      return { event: event.type, ...digest(event.text) };
    case "call_started":
      return { event: event.type, id: event.id, name: event.name, source: event.source };
    case "call_ended":
      return { event: event.type, id: event.id, ...digest(event.arguments) };
    case "call_result": {
      const { id, output, isError, part } = event;
      const text = typeof output === "string" ? output : JSON.stringify(output);
      return { event: event.type, id, is_error: isError, part, ...digest(text) };
    }
    case "started":
      return { event: event.type, thread: event.threadId, resumed: event.resumed };
    case "error":
      return { event: event.type, kind: event.failure.kind };
    case "ended":
      return { event: event.type, stop_reason: event.stopReason };
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

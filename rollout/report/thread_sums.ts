/**
 * A thread in numbers. Pure.
 *
 * @module
 */
import type { CallReport, ThreadReport } from "./thread_report.ts";

/** What the calls of a thread come to. */
export interface ThreadSums {
  turns: number;
  calls: number;
  /** Bytes and estimated tokens that go to the model with every request. */
  heldBytes: number;
  heldTokens: number;
  consumedCalls: number;
  /** Calls that codex itself took out of the context. */
  compactedCalls: number;
  /** Input of the last request to the model, as the model counted. */
  contextTokens: number | undefined;
  /** When the last turn ended or began. */
  lastUsed: string;
}

/** Sums a thread up. */
export function sumsOf({ turns }: ThreadReport): ThreadSums {
  const calls = turns.flatMap((turn) => turn.calls);
  const held = calls.filter(({ inContext }) => inContext);
  const last = turns.at(-1);
  return {
    turns: turns.length,
    calls: calls.length,
    heldBytes: held.reduce((sum, call) => sum + bytesOf(call), 0),
    heldTokens: held.reduce((sum, { tokens }) => sum + tokens, 0),
    consumedCalls: calls.filter(({ consumed }) => consumed !== "no").length,
    compactedCalls: calls.length - held.length,
    contextTokens: turns.findLast(({ contextTokens }) => contextTokens !== undefined)
      ?.contextTokens,
    lastUsed: last === undefined ? "" : last.endedAt || last.startedAt,
  };
}

/** What a call holds, arguments and output. */
export function bytesOf({ argumentBytes, outputBytes }: CallReport): number {
  return argumentBytes + outputBytes;
}

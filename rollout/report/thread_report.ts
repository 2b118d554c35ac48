/**
 * What is in a thread: its turns, their calls, what each call holds in the model's context and what
 * was consumed. `thread_reader.ts` reads it off a rollout.
 *
 * @module
 */
import type { ConsumeOp } from "../consume/plan.ts";

/** A call and what it holds. Bytes are of the text in UTF-8. */
export interface CallReport {
  id: string;
  name: string;
  namespace?: string;
  /** ISO 8601; empty when the record has none. */
  at: string;
  /** Clipped. */
  arguments: string;
  argumentBytes: number;
  /** Clipped; `[image]` stands for one. */
  output: string;
  outputBytes: number;
  images: number;
  /** Recorded outputs; more than one only in code mode. */
  outputs: number;
  failed: boolean;
  consumed: "no" | "light" | "heavy";
  /** Bytes of the session file that a consume made blank. */
  freedBytes: number;
  /** False once codex compacted the conversation past it: it no longer reaches the model. */
  inContext: boolean;
  /** Its record is too large to be read; what it holds is its size in the file. */
  tooLarge: boolean;
  /** Bytes by which a consume would make it smaller; nothing where it has no record that can change. */
  savings: Record<ConsumeOp, number>;
  /** Where its records are in the file. */
  records: { offset: number; length: number }[];
}

/** One turn. */
export interface TurnReport {
  /** From 1. */
  number: number;
  startedAt: string;
  endedAt: string;
  /** Clipped. */
  prompt: string;
  /** Clipped; codex's last words. */
  answer: string;
  status: "complete" | "aborted" | "failed" | "open";
  /** The input of its last request to the model, in tokens, as the model counted. */
  contextTokens: number | undefined;
  calls: CallReport[];
  /** codex compacted the conversation during this turn. */
  compacted: boolean;
}

/** A whole thread. */
export interface ThreadReport {
  threadId: string;
  path: string;
  /** Size of the rollout in bytes. */
  size: number;
  cwd: string;
  codexVersion: string;
  turns: TurnReport[];
  /** Lines that are not JSON. */
  unreadable: number;
  /** Lines that are too large to be read, and their bytes in all. */
  tooLarge: { lines: number; bytes: number };
}

/** The rule of thumb for English text and code. */
const BYTES_PER_TOKEN = 4;
/** An image costs about this much, whatever its size in bytes. */
const IMAGE_TOKENS = 1000;

/** What a call holds, arguments and output. */
export function bytesOf({ argumentBytes, outputBytes }: CallReport): number {
  return argumentBytes + outputBytes;
}

/** What a call takes in every request to the model, by rule of thumb. */
export function tokensOf(call: CallReport): number {
  return Math.ceil(bytesOf(call) / BYTES_PER_TOKEN) + call.images * IMAGE_TOKENS;
}

/** Tokens that consumes took out of a call; at most, since what was there can have been a picture. */
export function freedTokensOf({ freedBytes }: CallReport): number {
  return Math.ceil(freedBytes / BYTES_PER_TOKEN);
}

/** What a consume would take out of the context: bytes of text, and tokens, pictures included. */
export function savingOf(call: CallReport, op: ConsumeOp): { bytes: number; tokens: number } {
  const bytes = call.inContext ? call.savings[op] : 0;
  const images = bytes === 0 || call.consumed !== "no" ? 0 : call.images;
  return { bytes, tokens: Math.floor(bytes / BYTES_PER_TOKEN) + images * IMAGE_TOKENS };
}

/** What the calls of a thread come to. */
export interface ThreadSums {
  turns: number;
  calls: number;
  /** Bytes and estimated tokens that go to the model with every request. */
  heldBytes: number;
  heldTokens: number;
  consumedCalls: number;
  /** Bytes of the session file that consumes made blank. */
  freedBytes: number;
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
  const total = (of: readonly CallReport[], what: (call: CallReport) => number) =>
    of.reduce((sum, call) => sum + what(call), 0);
  return {
    turns: turns.length,
    calls: calls.length,
    heldBytes: total(held, bytesOf),
    heldTokens: total(held, tokensOf),
    consumedCalls: calls.filter(({ consumed }) => consumed !== "no").length,
    freedBytes: total(calls, ({ freedBytes }) => freedBytes),
    compactedCalls: calls.length - held.length,
    contextTokens: turns.findLast(({ contextTokens }) => contextTokens !== undefined)
      ?.contextTokens,
    lastUsed: last === undefined ? "" : last.endedAt || last.startedAt,
  };
}

/**
 * What is in a thread: its turns, their calls, what each call holds in the model's context and what
 * was consumed. `thread_reader.ts` reads it off a rollout.
 *
 * @module
 */

/** A call and what it holds. Bytes are UTF-8. */
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
  /** False once codex compacted the conversation past it: it no longer reaches the model. */
  inContext: boolean;
  /** Estimated tokens that arguments and output take in every request. */
  tokens: number;
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
  /** Lines that are no JSON, or too long to be read. */
  unreadable: number;
}

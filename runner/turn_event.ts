/**
 * What a turn tells, as values, in the names that the host's wire has (`plugin/protocol.ts` holds the
 * wire's own schema, and what is told here is held against it where it is sent). Nothing in between
 * copies or renames.
 *
 * Order: `message_start` first (once codex announced its thread), then anything, then at most one
 * `error`, then `message_end`, exactly once. The events of one call come in the order start, end,
 * result(s).
 *
 * @module
 */
import type { ContextUse } from "../rollout/records/events.ts";

/** Why a turn could not do what it was asked, as a class that a host can act on. */
export type ErrorKind =
  | "config"
  | "invalid_request"
  | "workspace_required"
  | "codex_missing"
  | "codex_too_old"
  | "auth_required"
  | "quota_exhausted"
  | "rate_limited"
  | "context_overflow"
  | "model_unavailable"
  | "network"
  | "server_error"
  | "content_refused"
  | "session_lost"
  | "session_busy"
  | "mcp_unavailable"
  | "timeout"
  | "crashed"
  | "cancelled"
  | "internal";

/** A failure with everything known about it. */
export interface Failure {
  kind: ErrorKind;
  /** At most 2 KiB. */
  message: string;
  /** Whether the same request may succeed later without anybody changing anything. */
  retryable: boolean;
  /** What the operator can do. */
  hint?: string;
  retry_after_ms?: number;
  /** ISO 8601. */
  resets_at?: string;
  exit_code?: number;
  signal?: string;
  /** At most 2 KiB, e.g. the tail of codex's stderr. */
  detail?: string;
}

/** A turn that could not start: nothing was emitted. */
export class TurnError extends Error {
  override name = "TurnError";
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** Why a turn ended. */
export type StopReason = "end_turn" | "max_tokens" | "cancelled" | "error";

/** Tokens of one turn, not of its thread. `input_tokens` includes the cached ones. */
export interface TurnUsage {
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  reasoning_output_tokens: number;
}

/** How a turn ended. */
export interface TurnEnd {
  stop_reason: StopReason;
  usage: TurnUsage;
  /** The thread that the next turn resumes; empty when codex never announced one. */
  thread_id: string;
  /** What the model's context holds after the turn, where codex told it. */
  context?: ContextUse;
}

/** One thing that happened in a turn. */
export type TurnEvent =
  | { type: "message_start"; model: string; thread_id: string; resumed: boolean }
  | TextEvent
  /** What was told of this text is void; a new attempt has a new index. */
  | { type: "text_retracted"; index: number }
  | { type: "thinking_delta"; index: number; text: string }
  | {
    type: "tool_call_start";
    /** codex's own call id. */
    id: string;
    name: string;
    namespace?: string;
    source: "host" | "codex";
  }
  | { type: "tool_call_end"; id: string; arguments: string }
  | {
    type: "tool_result";
    id: string;
    output: string | unknown[];
    is_error: boolean;
    part?: number;
  }
  | { type: "status"; message: string; data?: Record<string, unknown> }
  | { type: "error"; error: Failure }
  | { type: "message_end" } & TurnEnd;

/** A piece of the answer. The first piece of every text but the first begins with a blank line. */
export interface TextEvent {
  type: "text_delta";
  index: number;
  text: string;
  /** `commentary`, `final_answer`, `async`, where codex says so. */
  phase?: string;
}

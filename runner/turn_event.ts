/**
 * What a turn tells its caller, as values: the runner's own words, free of any host's wire.
 *
 * Order: `started` first (once codex announced its thread), then anything, then at most one `error`,
 * then `ended`, exactly once. The events of one call come in the order started, ended, result(s).
 *
 * @module
 */
import type { Usage } from "../rollout/records/events.ts";

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
  retryAfterMs?: number;
  /** ISO 8601. */
  resetsAt?: string;
  exitCode?: number;
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

/** How a turn ended. */
export interface TurnEnd {
  stopReason: StopReason;
  /** Of this turn, not of the thread. */
  usage: Usage;
  /** The thread that the next turn resumes; empty when codex never announced one. */
  threadId: string;
}

/** One thing that happened in a turn. */
export type TurnEvent =
  | { type: "started"; threadId: string; resumed: boolean }
  | { type: "text"; index: number; text: string; phase?: string }
  | { type: "thinking"; index: number; text: string }
  | {
    type: "call_started";
    /** codex's own call id. */
    id: string;
    name: string;
    namespace?: string;
    source: "host" | "codex";
  }
  | { type: "call_ended"; id: string; arguments: string }
  | {
    type: "call_result";
    id: string;
    output: string | unknown[];
    isError: boolean;
    part?: number;
  }
  | { type: "status"; message: string; data?: Record<string, unknown> }
  | { type: "error"; failure: Failure }
  | { type: "ended" } & TurnEnd;

/** Takes a turn's events in order; what it returns is awaited before the next one is produced. */
export type Emit = (event: TurnEvent) => Promise<void>;

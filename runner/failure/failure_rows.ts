/**
 * How codex words its troubles, by kind.
 *
 * Versions differ in their wording (and use a typographic apostrophe from 0.169 on), so the rows match
 * on words that all of them share. Every row has a captured or provoked run behind it, see
 * docs/codex.md.
 *
 * @module
 */
import type { ErrorKind } from "../turn_event.ts";

/** One kind of trouble and how codex words it. */
export interface FailureRow {
  kind: ErrorKind;
  retryable: boolean;
  match: RegExp;
  hint: string;
}

/** First match wins. */
export const FAILURE_ROWS: readonly FailureRow[] = [
  {
    kind: "context_overflow",
    retryable: false,
    match: /context window|context_length_exceeded|input_too_large|exceeds the maximum length/i,
    hint: "Consume old tool output, or start a new thread.",
  },
  {
    kind: "quota_exhausted",
    retryable: false,
    match: /usage limit|quota exceeded|insufficient_quota|usage_limit_reached|billing/i,
    hint: "Wait for the limit to reset, or raise the plan of the account codex is logged in with.",
  },
  {
    kind: "rate_limited",
    retryable: true,
    match: /rate limit|rate_limit_exceeded|429 Too Many Requests/i,
    hint: "Try again later.",
  },
  {
    kind: "auth_required",
    retryable: false,
    match:
      /401 Unauthorized|403 Forbidden|not logged in|Missing environment variable|invalid_api_key|token (?:has )?expired|log ?in again|refresh token/i,
    hint: "Run `codex login` as the user the host runs as, with the same CODEX_HOME.",
  },
  {
    kind: "model_unavailable",
    retryable: false,
    match:
      /model not found|model_not_found|model .{0,80}(?:does not exist|is not supported|not available)|404 Not Found/i,
    hint: "Check the model id, `model_args` in config.json, and what the account may use.",
  },
  {
    kind: "session_busy",
    retryable: true,
    match: /already has an active writer/i,
    hint: "Another codex has this thread open: end it, or try again when it is done.",
  },
  {
    kind: "session_lost",
    retryable: false,
    match:
      /no rollout found for thread id|failed to resolve rollout path|thread not found|is archived\. Run|failed to read session metadata|missing an ordinal/i,
    hint: "The thread's session file is gone, archived, or in another CODEX_HOME.",
  },
  {
    kind: "mcp_unavailable",
    retryable: true,
    match: /required MCP servers failed to initialize/i,
    hint: "The host's tools could not be offered to codex; the plugin's log says why.",
  },
  {
    kind: "config",
    retryable: false,
    match:
      /unexpected argument|error loading config|error parsing -c|invalid value .+ for '|Unknown feature flag|failed to (?:load|parse) config|CODEX_HOME points to|No such file or directory \(os error 2\)$|unknown variant|wire_api|Model provider .+ not found/i,
    hint: "Check codex's config.toml, and `extra_args` and `env` in config.json.",
  },
  {
    kind: "codex_missing",
    retryable: false,
    match: /^prlimit: failed to execute/,
    hint: "codex was there a moment ago: is it being upgraded?",
  },
  {
    kind: "server_error",
    retryable: true,
    match:
      /high demand|internal server error|50[0234] |stream closed before response\.completed|server_overloaded|overloaded/i,
    hint: "Try again later.",
  },
  {
    kind: "network",
    retryable: true,
    match:
      /error sending request|Reconnecting|waiting for network|network error|idle timeout waiting for SSE|Connection failed|connection refused|dns error|timed out/i,
    hint: "Check this machine's way to the model's address (network, proxy, DNS).",
  },
  {
    kind: "content_refused",
    retryable: false,
    match: /invalid_prompt|content_policy|policy|safety|flagged|refus/i,
    hint: "The model's service refused the content of this conversation.",
  },
  {
    kind: "invalid_request",
    retryable: false,
    match: /unexpected status 4\d\d|invalid_request_error|invalid_json_schema/i,
    hint: "The model's service does not take this request: check the output schema and the images.",
  },
];

/** The names that codex itself gives to errors in the rollout (0.169) → our kinds. */
export const INFO_KINDS: Record<string, ErrorKind> = {
  context_window_exceeded: "context_overflow",
  usage_limit_exceeded: "quota_exhausted",
  server_overloaded: "server_error",
  internal_server_error: "server_error",
  unauthorized: "auth_required",
  rate_limit_exceeded: "rate_limited",
  model_not_found: "model_unavailable",
  invalid_prompt: "content_refused",
  cyber_policy: "content_refused",
  response_stream_connection_failed: "network",
};

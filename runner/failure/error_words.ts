/**
 * The tables by which a failure is named: codex's own names and the service's, and, where they give
 * none, how they word their troubles.
 *
 * Versions differ in their wording (and use a typographic apostrophe from 0.169 on), so the rows
 * match on words that all of them share. A tool may be called `billing_report`: what stands in
 * quotes, is an address or a name of the request is nobody's word, and is taken out before.
 * Every row has a captured or provoked run behind it, see docs/codex.md.
 *
 * @module
 */
import type { ErrorKind } from "../turn_event.ts";

/** Words that name a trouble; `hint` where the kind's own does not help. */
export interface WordRow {
  kind: ErrorKind;
  match: RegExp;
  hint?: string;
}

/** First match wins. */
const WORD_ROWS: readonly WordRow[] = [
  // Before those of the system: why the server did not start stands behind it.
  { kind: "mcp_unavailable", match: /required MCP servers failed to initialize/i },
  {
    kind: "internal",
    match: /no space left on device|disk quota exceeded/i,
    hint: "The disk is full: make room where CODEX_HOME and the workspace are.",
  },
  {
    kind: "config",
    match: /read-only file system|permission denied \(os error 13\)/i,
    hint:
      "codex cannot write where it must: make CODEX_HOME writable for the user the host runs as.",
  },
  {
    kind: "context_overflow",
    match: /context window|context length|exceeds the maximum length of \d/i,
  },
  {
    kind: "quota_exhausted",
    match:
      /usage limit|quota exceeded|billing details|upgrade to (?:plus|pro)\b|insufficient credits/i,
  },
  { kind: "rate_limited", match: /rate limit|too many requests/i },
  {
    kind: "auth_required",
    match:
      /not logged in|missing environment variable|token (?:has |is )?(?:expired|invalid|revoked)|log ?in again|refresh token|incorrect api key/i,
  },
  {
    kind: "config",
    match: /model provider .{0,80}no longer configured/i,
    hint:
      "The thread was begun with a model provider that codex's config.toml does not have any more: put it back, or begin a new thread (another workspace or agent).",
  },
  {
    kind: "model_unavailable",
    match: /model not found|\bmodel\b.{0,80}(?:does not exist|is not supported|not available)/i,
  },
  {
    kind: "config",
    match: /cannot be used because requirements/i,
    hint:
      "This machine's /etc/codex/requirements.toml does not allow the `sandbox` of config.json: change one of them.",
  },
  { kind: "session_busy", match: /already has an active writer/i },
  {
    kind: "session_lost",
    match:
      /no rollout found for thread id|failed to resolve rollout path|thread not found|is archived\. Run|failed to read session metadata|missing an ordinal/i,
  },
  {
    kind: "config",
    match:
      /unexpected argument|error loading config|error parsing -c|invalid value .*for|unknown feature flag|failed to (?:load|parse) config|config is no longer supported|CODEX_HOME points to|^No such file or directory \(os error 2\)$|unknown variant|wire_api|model provider .*not found/i,
  },
  {
    kind: "codex_missing",
    match: /^prlimit: failed to execute/,
    hint: "codex was there a moment ago: is it being upgraded?",
  },
  {
    kind: "server_error",
    match:
      /high demand|internal server error|at capacity|capacity (?:is )?unavailable|(?:is|are) (?:currently )?overloaded|stream closed before response\.completed/i,
  },
  {
    kind: "network",
    match:
      /error sending request|^Reconnecting|waiting for network|network error|idle timeout waiting for SSE|connection failed|connection refused|dns error|timed out/i,
  },
  {
    kind: "content_refused",
    match: /\b(?:policy|policies)\b|safety system|flagged (?:as|by|for)|reason: content_filter/i,
  },
  {
    // All that codex says of a picture that the service refuses while codex compacts the thread.
    kind: "invalid_request",
    match: /image poisoning/i,
    hint:
      "codex cannot compact this thread, because the model's service refuses a picture in it: consume the tool output that holds it, or begin a new thread (another workspace or agent).",
  },
  { kind: "invalid_request", match: /valid image|unsupported image|invalid schema/i },
];

/** The row whose words stand in `text`; `ownNames` are the request's own. */
export function wordRowOf(text: string, ownNames: readonly string[] = []): WordRow | undefined {
  const words = text
    // An apostrophe within a word quotes nothing.
    .replace(/`[^`]*`|"[^"]*"|“[^”]*”|(?<![\p{L}\p{N}])['‘][^'’]*['’](?![\p{L}\p{N}])/gu, "''")
    .replace(/\bhttps?:\/\/\S+/g, "")
    .replace(/[\p{L}\p{N}_-]+/gu, (word) => ownNames.includes(word) ? "''" : word);
  return WORD_ROWS.find(({ match }) => match.test(words));
}

/*
 * What an error is by name or by number: codex's own names, the `code` and `type` of the model
 * service's errors, and HTTP statuses. Who says a name means it; words are only guessed at.
 *
 * codex writes its names in snake_case into the rollout (`codex_error_info`, 0.169 and later) and in
 * camelCase to clients of its app-server (`codexErrorInfo`); this is one table for both. A name
 * that carries a status (`{"http_connection_failed":{"http_status_code":401}}`) counts only where
 * the status says nothing. Names that are missing here are noticed by a test, which asks the newest
 * codex for its list.
 */

/** codex's names. `undefined`: codex has no name for it either, and its words decide. */
export const CODEX_NAMES: Readonly<Record<string, ErrorKind | undefined>> = {
  other: undefined,
  context_window_exceeded: "context_overflow",
  session_budget_exceeded: "quota_exhausted",
  usage_limit_exceeded: "quota_exhausted",
  rate_limit_exceeded: "rate_limited",
  flex_unavailable: "server_error",
  server_overloaded: "server_error",
  policy_capacity_unavailable: "server_error",
  internal_server_error: "server_error",
  model_not_found: "model_unavailable",
  unauthorized: "auth_required",
  bad_request: "invalid_request",
  invalid_prompt: "content_refused",
  cyber_policy: "content_refused",
  bio_policy: "content_refused",
  misalignment_policy_violation: "content_refused",
  too_many_denials: "content_refused",
  inference_hook_denied: "content_refused",
  sandbox_error: "config",
  thread_rollback_failed: "internal",
  active_turn_not_steerable: "session_busy",
  http_connection_failed: "network",
  response_stream_connection_failed: "network",
  response_stream_disconnected: "network",
  response_too_many_failed_attempts: "server_error",
};

/** `code` and `type` of the service's errors, and of codex's JSON-RPC errors, as far as they differ. */
const OTHER_NAMES: Readonly<Record<string, ErrorKind>> = {
  context_length_exceeded: "context_overflow",
  input_too_large: "context_overflow",
  insufficient_quota: "quota_exhausted",
  usage_limit_reached: "quota_exhausted",
  usage_not_included: "quota_exhausted",
  billing_not_active: "quota_exhausted",
  billing_hard_limit_reached: "quota_exhausted",
  slow_down: "rate_limited",
  invalid_api_key: "auth_required",
  token_expired: "auth_required",
  account_deactivated: "auth_required",
  deactivated_workspace: "auth_required",
  server_is_overloaded: "server_error",
  overloaded_error: "server_error",
  server_error: "server_error",
  content_filter: "content_refused",
  content_policy_violation: "content_refused",
  image_content_policy_violation: "content_refused",
  misalignment_policy: "content_refused",
  invalid_request_error: "invalid_request",
  invalid_json_schema: "invalid_request",
  invalid_function_parameters: "invalid_request",
  invalid_image: "invalid_request",
  model_provider_not_configured: "config",
};

/** The kind of a name in either spelling; `undefined` for one that is not known. */
export function kindOfName(name: string): ErrorKind | undefined {
  const snake = name.replace(
    /[A-Z]/g,
    (letter, at) => (at === 0 ? "" : "_") + letter.toLowerCase(),
  );
  return own(CODEX_NAMES, snake) ?? own(OTHER_NAMES, snake);
}

/** The kind of an HTTP status; 400 says no more than that something is wrong. */
export function kindOfStatus(status: number): ErrorKind | undefined {
  switch (status) {
    case 401:
    case 403:
      return "auth_required";
    case 402:
      return "quota_exhausted";
    case 404:
      return "model_unavailable";
    case 408: // it waited for us, or something between did
      return "network";
    case 409: // two at once
    case 425:
      return "server_error";
    case 413:
      return "context_overflow";
    case 429:
      return "rate_limited";
  }
  if (status >= 500) return "server_error";
  return status > 400 ? "invalid_request" : undefined;
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

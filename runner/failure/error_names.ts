/**
 * What an error is by name or by number: codex's own names, the `code` and `type` of the model
 * service's errors, and HTTP statuses. Who says a name means it; words are only guessed at.
 *
 * codex writes its names in snake_case into the rollout (`codex_error_info`, 0.169 and later) and in
 * camelCase to clients of its app-server (`codexErrorInfo`); this is one table for both. A name
 * that carries a status (`{"http_connection_failed":{"http_status_code":401}}`) counts only where
 * the status says nothing. Names that are missing here are noticed by a test, which asks the newest
 * codex for its list.
 *
 * @module
 */
import type { ErrorKind } from "../turn_event.ts";

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

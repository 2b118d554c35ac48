/**
 * How codex and the model's service word their troubles, where they give them no name.
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

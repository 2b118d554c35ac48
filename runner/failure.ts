/**
 * From what codex left behind to a {@link Failure} that somebody can act on.
 *
 * codex words the same trouble differently by version (and with a typographic apostrophe from
 * 0.169 on), so the table below matches on words that all versions share. Where the rollout names
 * the error (`task_complete.error.codex_error_info`, 0.169), that name is believed first.
 *
 * @module
 */
import type { ErrorKind, Failure } from "./turn_event.ts";

/** What is known about a turn that did not succeed. */
export interface FailureEvidence {
  /** `turn.failed.error.message`, if codex said so much. */
  message?: string | undefined;
  /** `codex_error_info` of the rollout: a name, or an object whose only key is the name. */
  info?: unknown;
  /** The tail of stderr; its last `Error:` line counts when there is no message. */
  stderr: string;
  exitCode?: number | undefined;
  signal?: string | undefined;
}

interface Row {
  kind: ErrorKind;
  retryable: boolean;
  match: RegExp;
  hint: string;
}

/** First match wins. Every row has a captured or provoked run behind it (tests/runner/failure_test.ts). */
const ROWS: readonly Row[] = [
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
      /no rollout found for thread id|thread not found|is archived\. Run|failed to read session metadata|missing an ordinal/i,
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
];

/** The rollout's own names for errors → our kinds. */
const INFO_KINDS: Record<string, ErrorKind> = {
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

const MAX_TEXT = 2048;

/** Names the trouble. Falls back to `crashed` for a death without words, else to `server_error`. */
export function classifyFailure(evidence: FailureEvidence): Failure {
  const said = evidence.message ?? lastErrorLine(evidence.stderr);
  const row = rowFor(said ?? "", evidence.info);
  const { exitCode, signal } = evidence;
  if (row !== undefined && said !== undefined) {
    return {
      kind: row.kind,
      message: clip(`codex: ${said}`),
      retryable: row.retryable,
      hint: row.hint,
      ...retryTimes(said),
      ...(evidence.message === undefined ? { exitCode, signal } : {}),
    };
  }
  if (evidence.message !== undefined) {
    return {
      kind: "server_error",
      message: clip(`codex: ${evidence.message}`),
      retryable: true,
      hint: "codex gave a reason this plugin has no class for; the message is codex's own.",
    };
  }
  return {
    kind: "crashed",
    message: clip(
      `codex: ended without finishing the turn (${describeExit(evidence)})${
        said === undefined ? "" : `: ${said}`
      }`,
    ),
    retryable: true,
    hint: "The detail holds the end of codex's stderr.",
    exitCode,
    signal,
    detail: evidence.stderr.trim() === "" ? undefined : clip(evidence.stderr.trim(), true),
  };
}

function rowFor(said: string, info: unknown): Row | undefined {
  const kind = infoKind(info);
  // The name wins; the row of that kind still has the hint.
  return kind === undefined
    ? ROWS.find((row) => row.match.test(said))
    : ROWS.find((row) => row.kind === kind);
}

function infoKind(info: unknown): ErrorKind | undefined {
  if (typeof info === "string") return INFO_KINDS[info];
  if (typeof info !== "object" || info === null) return undefined;
  for (const [name, value] of Object.entries(info)) {
    const status = typeof value === "object" && value !== null && "http_status_code" in value
      ? value.http_status_code
      : undefined;
    if (status === 401 || status === 403) return "auth_required";
    const kind = INFO_KINDS[name];
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** `Error: …` is how codex ends a failed start; clap writes `error: …`. */
function lastErrorLine(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const said = lines.findLast((line) => /^error:/i.test(line)) ??
    lines.findLast((line) => !/^Reading additional input|^WARNING: proceeding/.test(line));
  return said?.replace(/^error: */i, "");
}

/** "try again at May 18th, 2033 3:33 AM", "try again in 0.2s" → when. */
function retryTimes(said: string): { retryAfterMs?: number; resetsAt?: string } {
  const inSeconds = /try again in (\d+(?:\.\d+)?) ?(ms|s|m)\b/i.exec(said);
  if (inSeconds !== null) {
    const unit = { ms: 1, s: 1000, m: 60_000 }[String(inSeconds[2]).toLowerCase()] ?? 1000;
    return { retryAfterMs: Math.ceil(Number(inSeconds[1]) * unit) };
  }
  const at = /try again at (.+?(?:AM|PM|\d{4}))/i.exec(said)?.[1];
  if (at === undefined) return {};
  // codex writes local time, "May 18th, 2033 3:33 AM", or only "3:33 AM" when it is today.
  const today = new Date();
  const text = /\d{4}/.test(at) ? at : `${today.toDateString()} ${at}`;
  const time = Date.parse(text.replace(/(\d)(?:st|nd|rd|th)/, "$1"));
  return Number.isNaN(time) ? {} : { resetsAt: new Date(time).toISOString() };
}

function describeExit({ exitCode, signal }: FailureEvidence): string {
  if (signal !== undefined) return `signal ${signal}`;
  return exitCode === undefined ? "no exit status" : `exit code ${exitCode}`;
}

/** At most 2 KiB of UTF-8; `fromEnd` keeps the tail. */
export function clip(text: string, fromEnd = false): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= MAX_TEXT) return text;
  const room = MAX_TEXT - 4; // "…" and a replacement character at the cut
  const kept = fromEnd ? bytes.subarray(bytes.length - room) : bytes.subarray(0, room);
  const part = new TextDecoder().decode(kept).replaceAll("\uFFFD", "");
  return fromEnd ? `…${part}` : `${part}…`;
}

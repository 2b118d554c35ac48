/**
 * From what codex left behind to a {@link Failure} that somebody can act on.
 *
 * What codex says of the turn (`turn.failed`) is believed most: the name it gives to the error, then
 * the service's own code, the status, and last the words. A codex that said nothing and ended by
 * itself has an `Error:` line on stderr. What is left is a crash.
 *
 * @module
 */
import { clip } from "../../base/error_message.ts";
import { isObject } from "../../base/json_object.ts";
import { SERVER_NAME } from "../../mcp_host/registration.ts";
import type { ErrorKind, Failure } from "../turn_event.ts";
import { kindOfName, kindOfStatus, wordRowOf } from "./error_words.ts";
import { type RetryTimes, retryTimes } from "./retry.ts";

/** What is known about a turn that did not succeed. */
export interface FailureEvidence {
  /** `turn.failed.error.message`, if codex said so much. */
  message?: string | undefined;
  /** codex's name of the error: itself, or an object whose only key it is. */
  info?: unknown;
  /** The last thing that codex said before; it may name the time to try again that the end lacks. */
  notice?: string | undefined;
  /** When the account's limits reset, in seconds since 1970, as codex recorded it. */
  limitsReset?: readonly number[] | undefined;
  /** When the one that is used up does, where codex said which one that is. */
  limitOpens?: number | undefined;
  /** The names of the request's tools, in which words mean nothing. */
  ownNames?: readonly string[] | undefined;
  /** `TZ` of codex, which tells the time of day in its words. */
  timeZone?: string | undefined;
  /** The tail of stderr. */
  stderr: string;
  exitCode?: number | undefined;
  signal?: string | undefined;
}

/** Names the trouble: `server_error` for words without a class, `crashed` for a death without words. */
export function classifyFailure(evidence: FailureEvidence): Failure {
  if (evidence.message !== undefined) return said(evidence.message, evidence);
  const { exitCode, signal, stderr } = evidence;
  const line = signal === undefined ? errorLine(stderr) : undefined;
  const known = line === undefined ? undefined : recognize(line, evidence);
  if (line !== undefined && known !== undefined) {
    return { ...told(known, line, evidence), exit_code: exitCode };
  }
  const how = signal !== undefined
    ? `signal ${signal}`
    : exitCode === undefined
    ? "no exit status"
    : `exit code ${exitCode}`;
  const why = line ?? lastLine(stderr);
  return {
    kind: "crashed",
    message: clip(
      `codex: ended without finishing the turn (${how})${why === undefined ? "" : `: ${why}`}`,
    ),
    retryable: true,
    hint: "The detail holds the end of codex's stderr.",
    exit_code: signal === undefined ? exitCode : undefined,
    signal,
    detail: stderr.trim() === "" ? undefined : clip(stderr.trim(), true),
  };
}

/** What somebody can do about a kind of trouble, and whether it passes by itself. */
export const ADVICE: Readonly<Partial<Record<ErrorKind, { retryable: boolean; hint: string }>>> = {
  context_overflow: {
    retryable: false,
    hint: "Consume old tool output, or start a new thread.",
  },
  quota_exhausted: {
    retryable: false,
    hint: "Wait for the limit to reset, or raise the plan of the account codex is logged in with.",
  },
  rate_limited: { retryable: true, hint: "Try again later." },
  auth_required: {
    retryable: false,
    hint: "Run `codex login` as the user the host runs as, with the same CODEX_HOME.",
  },
  model_unavailable: {
    retryable: false,
    hint: "Check the model id, `model_args` in config.json, and what the account may use.",
  },
  session_busy: {
    retryable: true,
    hint: "Another codex has this thread open: end it, or try again when it is done.",
  },
  session_lost: {
    retryable: false,
    hint: "The thread's session file is gone, archived, or in another CODEX_HOME.",
  },
  mcp_unavailable: {
    retryable: true,
    hint: "The host's tools could not be offered to codex; the plugin's log says why.",
  },
  config: {
    retryable: false,
    hint: "Check codex's config.toml, and `extra_args` and `env` in config.json.",
  },
  codex_missing: {
    retryable: false,
    hint: "Reinstall codex, or set `binary` in config.json to its path.",
  },
  server_error: { retryable: true, hint: "Try again later." },
  network: {
    retryable: true,
    hint: "Check the connection to the model's service: network, proxy, DNS.",
  },
  content_refused: {
    retryable: false,
    hint: "The model's service refused the content of this conversation.",
  },
  invalid_request: {
    retryable: false,
    hint:
      "The model's service does not take this request: check the output schema, the tools' schemas and the images.",
  },
  internal: { retryable: true, hint: "Try again once, then report it." },
};

/** A trouble by its kind; `hint` where the kind's own does not help. */
interface Known {
  kind: ErrorKind;
  hint?: string | undefined;
}

function said(message: string, evidence: FailureEvidence): Failure {
  const known = recognize(message, evidence);
  if (known !== undefined) return told(known, message, evidence);
  return {
    kind: "server_error",
    message: clip(`codex: ${message}`),
    retryable: true,
    hint: "codex gave a reason that this plugin does not know; the message is codex's own.",
  };
}

function told({ kind, hint }: Known, text: string, evidence: FailureEvidence): Failure {
  const advice = ADVICE[kind];
  return {
    kind,
    message: clip(`codex: ${text}`),
    retryable: advice?.retryable ?? false,
    hint: hint ?? advice?.hint,
    ...timesOf(kind, text, evidence),
  };
}

function timesOf(kind: ErrorKind, text: string, evidence: FailureEvidence): RetryTimes {
  const { notice = "", limitsReset, limitOpens = 0, timeZone } = evidence;
  const times = retryTimes(text, { limitsReset, timeZone });
  const silent = times.retry_after_ms === undefined && times.resets_at === undefined;
  if (!silent) return times;
  // "429 Too Many Requests" is all that is left of an answer that the attempt before it quoted.
  if (kind === "rate_limited") return retryTimes(notice, { limitsReset, timeZone });
  const opens = new Date(limitOpens * 1000);
  const isAhead = kind === "quota_exhausted" && opens.getTime() > Date.now();
  return isAhead ? { resets_at: opens.toISOString() } : {};
}

/** The first that knows: the name, the service's code, the status, the words, the service's type. */
function recognize(text: string, { info, ownNames }: FailureEvidence): Known | undefined {
  const named = nameOf(info);
  const byName = kindOf(named?.name);
  if (byName !== undefined && named?.status === undefined) return { kind: byName };
  const body = bodyOf(text);
  const words = wordRowOf(body?.message ?? text, ownNames);
  const status = named?.status ?? statusIn(text);
  const kind = [
    kindOf(body?.code),
    status === undefined ? undefined : kindOfStatus(status),
    words?.kind,
    kindOf(body?.type),
    status === undefined ? byName : undefined,
    // The whole answer to a 400 is all that codex says, or that and what it was about.
    status === 400 || /^(?:Error running remote compact task: )?\{/.test(text)
      ? "invalid_request" as const
      : undefined,
  ].find((kind) => kind !== undefined);
  if (kind === undefined) return undefined;
  return { kind, hint: words?.kind === kind ? hintOf(words, text) : undefined };
}

function statusIn(text: string): number | undefined {
  const status = /\b(?:unexpected|last) status:? (\d{3})\b/.exec(text)?.[1];
  return status === undefined ? undefined : Number(status);
}

function kindOf(name: string | undefined): ErrorKind | undefined {
  return name === undefined ? undefined : kindOfName(name);
}

/** A server that is not ours is the user's own. */
function hintOf({ kind, hint }: Known, text: string): string | undefined {
  if (kind !== "mcp_unavailable") return hint;
  const server = /failed to initialize: ([\w-]+):/.exec(text)?.[1];
  if (server === undefined || server === SERVER_NAME) return hint;
  return `The MCP server ${server} of codex's own config.toml is \`required\` and did not start: repair it, or set \`user_mcp_servers\` to "disable".`;
}

/** codex's name of an error, and the HTTP status that came with it. */
function nameOf(info: unknown): { name: string; status: number | undefined } | undefined {
  if (typeof info === "string") return { name: info, status: undefined };
  if (!isObject(info)) return undefined;
  const [entry] = Object.entries(info);
  if (entry === undefined) return undefined;
  const [name, value] = entry;
  const status = isObject(value) ? value.http_status_code ?? value.httpStatusCode : undefined;
  return { name, status: typeof status === "number" ? status : undefined };
}

interface Body {
  code: string | undefined;
  type: string | undefined;
  message: string | undefined;
}

/** The JSON in a text: the service's answer, or the data of codex's own error. */
function bodyOf(text: string): Body | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const error = isObject(value.error) ? value.error : value;
  const detail = isObject(error.detail) ? error.detail : error;
  const string = (one: unknown) => typeof one === "string" ? one : undefined;
  return {
    code: string(detail.code) ?? string(detail.input_error_code),
    type: string(detail.type),
    message: string(detail.message),
  };
}

/**
 * `Error: …` or `Error finding …` is how codex ends a failed start; clap writes `error: …`. The place
 * and the reason may stand on the lines below, without those that quote a file. `prlimit` stands in
 * front of codex (`turn_mark.ts`).
 */
function errorLine(stderr: string): string | undefined {
  const all = stderr.split("\n").map((line) => line.trim());
  const first = all.findLastIndex((line) => /^(?:error\b|prlimit: )/i.test(line));
  if (first < 0) return undefined;
  const after = all.findIndex((line, at) => at > first && (line === "" || /^\d{4}-/.test(line)));
  return all.slice(first, after < 0 ? undefined : after)
    .filter((line) => !/^\d* ?\|/.test(line)).join(" ").replace(/^error: */i, "");
}

function lastLine(stderr: string): string | undefined {
  return stderr.split("\n").map((line) => line.trim())
    .findLast((line) => line !== "" && !/^Reading additional input|^WARNING:/.test(line));
}

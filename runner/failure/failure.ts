/**
 * From what codex left behind to a {@link Failure} that somebody can act on.
 *
 * What codex says of the turn (`turn.failed`) is believed most, with the name that the rollout gives
 * to the error (`task_complete.error.codex_error_info`, 0.169) before its words. A codex that said
 * nothing and ended by itself has an `Error:` line on stderr. What is left is a crash.
 *
 * @module
 */
import { clip } from "../../base/clip.ts";
import { FAILURE_ROWS, type FailureRow, INFO_KINDS } from "./failure_rows.ts";
import { retryTimes } from "./retry_time.ts";
import type { ErrorKind, Failure } from "../turn_event.ts";

/** What is known about a turn that did not succeed. */
export interface FailureEvidence {
  /** `turn.failed.error.message`, if codex said so much. */
  message?: string | undefined;
  /** `codex_error_info` of the rollout: a name, or an object whose only key is the name. */
  info?: unknown;
  /** The tail of stderr. */
  stderr: string;
  exitCode?: number | undefined;
  signal?: string | undefined;
}

/** Names the trouble: `server_error` for words without a class, `crashed` for a death without words. */
export function classifyFailure(evidence: FailureEvidence): Failure {
  if (evidence.message !== undefined) return said(evidence.message, evidence.info);
  const { exitCode, signal, stderr } = evidence;
  const line = signal === undefined ? errorLine(stderr) : undefined;
  const row = line === undefined ? undefined : rowFor(line, undefined);
  if (line !== undefined && row !== undefined) {
    return { ...told(row, line), exitCode };
  }
  const how = describeExit(evidence);
  const why = line ?? lastLine(stderr);
  return {
    kind: "crashed",
    message: clip(
      `codex: ended without finishing the turn (${how})${why === undefined ? "" : `: ${why}`}`,
    ),
    retryable: true,
    hint: "The detail holds the end of codex's stderr.",
    exitCode: signal === undefined ? exitCode : undefined,
    signal,
    detail: stderr.trim() === "" ? undefined : clip(stderr.trim(), true),
  };
}

function said(message: string, info: unknown): Failure {
  const row = rowFor(message, info);
  if (row !== undefined) return told(row, message);
  return {
    kind: "server_error",
    message: clip(`codex: ${message}`),
    retryable: true,
    hint: "codex gave a reason this plugin has no class for; the message is codex's own.",
  };
}

function told({ kind, retryable, hint }: FailureRow, text: string): Failure {
  return { kind, message: clip(`codex: ${text}`), retryable, hint, ...retryTimes(text) };
}

function rowFor(text: string, info: unknown): FailureRow | undefined {
  const kind = infoKind(info);
  // The name wins; the row of that kind still has the hint.
  return kind === undefined
    ? FAILURE_ROWS.find((row) => row.match.test(text))
    : FAILURE_ROWS.find((row) => row.kind === kind);
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

/**
 * `Error: …` or `Error finding …` is how codex ends a failed start; clap writes `error: …`. `prlimit`
 * stands in front of codex (`turn_mark.ts`).
 */
function errorLine(stderr: string): string | undefined {
  return lines(stderr).findLast((line) => /^(?:error\b|prlimit: )/i.test(line))?.replace(
    /^error: */i,
    "",
  );
}

function lastLine(stderr: string): string | undefined {
  return lines(stderr).findLast((line) => !/^Reading additional input|^WARNING:/.test(line));
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

function describeExit({ exitCode, signal }: FailureEvidence): string {
  if (signal !== undefined) return `signal ${signal}`;
  return exitCode === undefined ? "no exit status" : `exit code ${exitCode}`;
}

/**
 * The judgement on a finished run: did the turn succeed, and if not, why. Pure.
 *
 * Success needs all of: `turn.completed`, exit code 0 (unless we ended a lingering process), and the
 * thread that was asked for. Partial text is never success. Where codex died before its last word,
 * the rollout decides.
 *
 * @module
 */
import { clip, errorMessage } from "../../base/error_message.ts";
import { classifyFailure, type FailureEvidence } from "./failure.ts";
import type { Stop } from "../stop.ts";
import type { RunResult } from "../turn_run.ts";
import { type Failure, type StopReason, TurnError } from "../turn_event.ts";

/** How a turn is to be ended towards the caller. */
export interface Verdict {
  stopReason: StopReason;
  failure?: Failure;
}

/** What the verdict is made from. */
export type Evidence = Pick<
  RunResult,
  "output" | "exit" | "stop" | "refused" | "lingered" | "stderr" | "survivors"
>;

/** What the words of a failure are read with. */
export type Reading = Pick<FailureEvidence, "ownNames" | "timeZone">;

/** Judges a run whose thread was announced. */
export function judge(evidence: Evidence, reading: Reading = {}): Verdict {
  const verdict = judged(evidence, reading);
  const failure = unended(evidence);
  if (failure === undefined) return verdict;
  return { stopReason: verdict.stopReason === "cancelled" ? "cancelled" : "error", failure };
}

function judged({ output, exit, stop, lingered, stderr }: Evidence, reading: Reading): Verdict {
  if (stop !== undefined) return stopped(stop, stderr);
  const { terminal } = output;
  const ended = { exitCode: exit?.code, signal: exit?.signal, stderr };
  const failed = (message: string): Verdict => {
    if (/max_output_tokens/.test(message)) return { stopReason: "max_tokens" };
    const { errorInfo: info, lastNotice: notice, limitsReset, limitOpens } = output;
    const said = { message, info, notice, limitsReset, limitOpens, stderr };
    return { stopReason: "error", failure: classifyFailure({ ...reading, ...said }) };
  };
  if (terminal?.type === "failed") return failed(terminal.message);
  if (terminal?.type === "completed") {
    if (lingered || exit === undefined || exit.code === 0) return { stopReason: "end_turn" };
    return { stopReason: "error", failure: classifyFailure(ended) };
  }
  if (output.errorMessage !== undefined) return failed(output.errorMessage);
  if (output.answered && !output.aborted) return { stopReason: "end_turn" };
  return { stopReason: "error", failure: classifyFailure(ended) };
}

/** Judges a run that ended before codex announced its thread. */
export function judgeStart(evidence: Evidence): Verdict {
  const { exit, stop, refused, stderr } = evidence;
  const failure = unended(evidence);
  if (stop !== undefined) {
    const verdict = stopped(stop, stderr);
    return failure === undefined ? verdict : { ...verdict, failure };
  }
  if (refused !== undefined) return { stopReason: "error", failure: failureOf(refused) };
  const ended = { exitCode: exit?.code, signal: exit?.signal, stderr };
  return { stopReason: "error", failure: failure ?? classifyFailure(ended) };
}

/** codex lives on although it was killed. */
function unended({ exit, survivors: [codex] }: Evidence): Failure | undefined {
  if (exit !== undefined || codex === undefined) return undefined;
  return {
    kind: "internal",
    message: `codex: process ${codex.pid} (${codex.command}) cannot be ended`,
    retryable: true,
    hint:
      `It belongs to another user or hangs in the kernel. See \`ps -fp ${codex.pid}\`, and end it by hand: it keeps the thread.`,
  };
}

/** The failure that an error carries; our own trouble (a full disk, say) is `internal`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TurnError) return error.failure;
  const message = clip(`the turn broke off: ${errorMessage(error)}`);
  if (error instanceof Deno.errors.PermissionDenied || /\(os error (?:13|30)\)/.test(message)) {
    const hint =
      "Make the plugin's state directory, and what is in it, writable for the user the host runs as.";
    return { kind: "config", message, retryable: false, hint };
  }
  return { kind: "internal", message, retryable: true };
}

/** The directory in which the agent works was removed while its turn waited. */
export function workspaceGone(path: string): Failure {
  return {
    kind: "invalid_request",
    message: clip(`codex: the workspace ${path} is gone`),
    retryable: false,
    hint: "The host must keep an agent's workspace while its turn waits.",
  };
}

/** codex is ready, and none of its relays has reached the plugin. */
export const TOOLLESS: Failure = {
  kind: "mcp_unavailable",
  message: "codex: began the turn without the host's tools; it was ended",
  retryable: true,
  hint: "codex could not start `mcp-host`, or it could not reach the plugin; see the log.",
};

/** The verdict on a turn that we stopped, before or while codex ran. */
export function stopped(stop: Stop, stderr = ""): Verdict {
  if (stop.by === "cancel") return { stopReason: "cancelled" };
  if (stop.by === "toolless") return { stopReason: "error", failure: TOOLLESS };
  if (stop.by === "too_free") {
    return {
      stopReason: "error",
      failure: {
        kind: "config",
        message: clip(`codex: ${stop.what}; the turn was ended`),
        retryable: false,
        hint:
          "This machine's /etc/codex/requirements.toml, or codex's own configuration, does not let codex be as strict as `sandbox` in config.json says: change one of them.",
      },
    };
  }
  if (stop.by === "stray") {
    return {
      stopReason: "error",
      failure: {
        kind: "session_lost",
        message: `codex: began another thread (${
          stop.threadId.slice(0, 64)
        }) than it was asked to resume`,
        retryable: false,
      },
    };
  }
  const { watch, limitMs } = stop;
  const seconds = limitMs / 1000;
  const tail = stderr.trim() === "" ? "" : `\n${stderr.trim()}`;
  const common = {
    retryable: true,
    detail: clip(`watchdog: ${watch}, limit ${limitMs} ms${tail}`),
  };
  const what = {
    start: `did not announce its thread within ${seconds} s`,
    silence: `gave no sign of life for ${seconds} s`,
    toolSilence: `gave no sign of life for ${seconds} s while a tool was running`,
    reconnect: `could not reach the model for ${seconds} s`,
    total: `took longer than ${seconds} s`,
  }[watch];
  const failure: Failure = watch === "reconnect"
    ? {
      kind: "network",
      message: `codex: ${what}; it was ended`,
      hint: "Check the connection to the model's service: network, proxy, DNS.",
      ...common,
    }
    : {
      kind: "timeout",
      message: `codex: ${what}; it was ended`,
      hint: "The limits are `timeouts` in config.json.",
      ...common,
    };
  return { stopReason: "error", failure };
}

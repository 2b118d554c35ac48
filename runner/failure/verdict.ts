/**
 * The judgement on a finished run: did the turn succeed, and if not, why. Pure.
 *
 * Success needs all of: `turn.completed`, exit code 0 (unless we ended a lingering process), and the
 * thread that was asked for. Partial text is never success. Where codex died before its last word,
 * the rollout decides.
 *
 * @module
 */
import { clip } from "../../base/clip.ts";
import { classifyFailure } from "./failure.ts";
import type { RunResult, Stop } from "../exec/run_result.ts";
import type { Failure, StopReason } from "../turn_event.ts";

/** How a turn is to be ended towards the caller. */
export interface Verdict {
  stopReason: StopReason;
  failure?: Failure;
}

/** What the verdict is made from. */
export type Evidence = Pick<RunResult, "output" | "exit" | "stop" | "lingered" | "stderr">;

/** Judges a run whose thread was announced. */
export function judge({ output, exit, stop, lingered, stderr }: Evidence): Verdict {
  if (stop !== undefined) return stopped(stop, stderr);
  const { terminal } = output;
  const ended = { exitCode: exit.code, signal: exit.signal, stderr };
  if (terminal?.type === "failed") return failed(terminal.message, output.errorInfo, stderr);
  if (terminal?.type === "completed") {
    if (lingered || exit.code === 0) return { stopReason: "end_turn" };
    return { stopReason: "error", failure: classifyFailure(ended) };
  }
  if (output.errorMessage !== undefined) {
    return failed(output.errorMessage, output.errorInfo, stderr);
  }
  if (output.answered && !output.aborted) return { stopReason: "end_turn" };
  return { stopReason: "error", failure: classifyFailure(ended) };
}

/** Judges a run that ended before codex announced its thread. */
export function judgeStart({ exit, stop, stderr }: Evidence): Verdict {
  if (stop !== undefined) return stopped(stop, stderr);
  return {
    stopReason: "error",
    failure: classifyFailure({ exitCode: exit.code, signal: exit.signal, stderr }),
  };
}

function failed(message: string, info: unknown, stderr: string): Verdict {
  if (/max_output_tokens/.test(message)) return { stopReason: "max_tokens" };
  return { stopReason: "error", failure: classifyFailure({ message, info, stderr }) };
}

function stopped(stop: Stop, stderr: string): Verdict {
  if (stop.by === "cancel") return { stopReason: "cancelled" };
  if (stop.by === "toolless") {
    return {
      stopReason: "error",
      failure: {
        kind: "mcp_unavailable",
        message: "codex: began the turn without the host's tools; it was ended",
        retryable: true,
        hint: "codex could not start `mcp-host`, or it could not reach the plugin; see the log.",
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
      hint: "Check this machine's way to the model's address (network, proxy, DNS).",
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

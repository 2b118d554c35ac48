/**
 * What it means when the operating system would not start codex.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { clip } from "../../base/clip.ts";
import { type Failure, TurnError } from "../turn_event.ts";

/** The error of a spawn as one that the host understands. */
export function startFailure(error: unknown, path: string, cwd: string): TurnError {
  const reason = errorMessage(error);
  if (/No such cwd/.test(reason)) {
    return new TurnError({
      kind: "invalid_request",
      message: clip(`codex: the workspace ${cwd} is gone`),
      retryable: false,
      hint: "The host must keep an agent's workspace while its turn waits.",
    });
  }
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
    return new TurnError(cannotStart(path, reason));
  }
  return new TurnError({
    kind: "internal",
    message: clip(`codex: cannot start ${path}: ${reason}`),
    retryable: true,
    hint: "The machine may be out of processes, file descriptors or memory.",
  });
}

/** codex is there and cannot be run. */
export function cannotStart(path: string, reason: string): Failure {
  return {
    kind: "codex_missing",
    message: clip(`codex: cannot start ${path}: ${reason}`),
    retryable: false,
    hint: "Reinstall codex, or set `binary` in config.json to its path.",
  };
}

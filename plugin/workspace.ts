/**
 * The directory a turn works in.
 *
 * A workspace may be reached by a symbolic link. codex gets the path as the host gave it, so that it
 * finds the same `AGENTS.md` above it, and tells the model the same directory, as when a person
 * starts it there. Its real path is the key of the queue and of what is remembered: two ways to one
 * directory are one workspace.
 *
 * @module
 */
import { isAbsolute } from "@std/path";
import { errorMessage } from "../base/error_message.ts";
import { CODE, type ErrorBody } from "./protocol.ts";
import { RpcError } from "../base/jsonrpc/frame.ts";

/** A workspace that exists. */
export interface Workspace {
  /** As it was given. */
  cwd: string;
  /** The real path. */
  workspace: string;
}

/**
 * The workspace of a turn, made if it is missing.
 * @throws {RpcError} `workspace_required` or `invalid_request`.
 */
export function prepareWorkspace(given: string | undefined): Workspace {
  if (given === undefined || given === "") {
    throw refusal(
      "workspace_required",
      "codex: agent workspace required (host must supply AgentContext)",
    );
  }
  if (!isAbsolute(given)) {
    const seen = JSON.stringify(given);
    throw refusal(
      "invalid_request",
      `codex: the workspace must be an absolute path: found ${seen}`,
    );
  }
  try {
    Deno.mkdirSync(given, { recursive: true });
    return { cwd: given, workspace: Deno.realPathSync(given) };
  } catch (error) {
    throw refusal("invalid_request", `mkdir workspace: ${errorMessage(error)}`);
  }
}

/** The real path; of a workspace that is gone, the path itself: it still has its thread. */
export function realPathOf(workspace: string): string {
  try {
    return Deno.realPathSync(workspace);
  } catch {
    return workspace;
  }
}

function refusal(kind: ErrorBody["kind"], message: string): RpcError {
  return new RpcError(CODE.domain, message, { kind, message, retryable: false });
}

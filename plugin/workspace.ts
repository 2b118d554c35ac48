/**
 * The directory a turn works in, which is also the key under which its thread is kept.
 *
 * @module
 */
import { isAbsolute } from "@std/path";
import { errorMessage } from "../base/error_message.ts";
import { CODE, type ErrorBody } from "./protocol.ts";
import { RpcError } from "./wire/rpc_error.ts";

/**
 * The workspace of a turn as a real path, made if it is missing.
 * @throws {RpcError} `workspace_required` or `invalid_request`.
 */
export function prepareWorkspace(workspace: string | undefined): string {
  if (workspace === undefined || workspace === "") {
    throw refusal(
      "workspace_required",
      "codex: agent workspace required (host must supply AgentContext)",
    );
  }
  if (!isAbsolute(workspace)) {
    const seen = JSON.stringify(workspace);
    throw refusal(
      "invalid_request",
      `codex: the workspace must be an absolute path: found ${seen}`,
    );
  }
  try {
    Deno.mkdirSync(workspace, { recursive: true });
    return Deno.realPathSync(workspace);
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

/**
 * A call of one of the host's own tools, from codex to the host and back.
 *
 * @module
 */
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import type { RawJson } from "../base/raw_json.ts";
import type { Peer } from "../base/jsonrpc/peer.ts";
import { type HostToolCallParams, HostToolCallResult, METHOD } from "./protocol.ts";

/** Which turn calls: what the host finds in every call of it. */
export type Caller = Pick<HostToolCallParams, "agent_id" | "session_id" | "request_id">;

/** Asks the host, for one turn. Rejects when the host refuses or answers no tool result. */
export function hostToolCaller(
  peer: Pick<Peer, "request">,
  caller: Caller,
): (call: HostToolCall) => Promise<RawJson> {
  return async (call) => {
    const params: Omit<HostToolCallParams, "arguments"> & { arguments: RawJson } = {
      ...caller,
      call_id: call.callId,
      thread_id: call.threadId,
      name: call.name,
      arguments: call.arguments,
    };
    const result = await peer.request(METHOD.hostToolCall, params, call.signal);
    const parsed = HostToolCallResult.safeParse(withoutNulls(result.value));
    if (parsed.success) return result;
    throw new Error(`the host answered ${call.name} with something that is not a tool result`);
  };
}

/** Go writes `null` for what is not there; what is inside the fields is the tool's own. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}

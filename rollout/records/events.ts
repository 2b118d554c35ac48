/**
 * What codex reports beside the conversation: the `event_msg` lines of a rollout.
 *
 * @module
 */

import { type Fields, isObject, optional, string, texts } from "./fields.ts";

/** Token counts as codex reports them. `inputTokens` includes the cached ones. */
export interface Usage {
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningOutputTokens: number;
}

/** What codex reported. `outcome` tells how the call `id` went; the model does not see it. */
export type EventRecord =
  | { kind: "outcome"; id: string; failed: boolean }
  /** The model said something; `phase` is `commentary` or `final_answer` where codex knows. */
  | { kind: "message"; text: string; phase?: string }
  | { kind: "usage"; total: Usage; last: Usage }
  | { kind: "turn_aborted"; reason?: string }
  | { kind: "task_complete"; lastAgentMessage?: string; error?: { message: string; info: unknown } }
  | { kind: "error"; message: string; info: unknown }
  | { kind: "other"; type: string }
  | { kind: "broken" };

/** What an `event_msg` payload means; `other` where it cannot matter to a turn. */
export function decodeEvent(event: Fields): EventRecord {
  const type = string(event.type) ?? "";
  switch (type) {
    case "token_count": {
      if (!isObject(event.info)) return { kind: "other", type };
      const { total_token_usage: total, last_token_usage: last } = event.info;
      return { kind: "usage", total: usageOf(total), last: usageOf(last) };
    }
    case "agent_message":
      return message(string(event.message), event.phase);
    case "item_completed": {
      const item = isObject(event.item) ? event.item : {};
      if (item.type === "AgentMessage") return message(texts(item.content).join(""), item.phase);
      const failed = item.status === "failed" || item.status === "declined" ||
        (typeof item.exit_code === "number" && item.exit_code !== 0);
      return outcome(type, item.id, failed);
    }
    case "mcp_tool_call_end": {
      const result = isObject(event.result) ? event.result : {};
      const failed = "Err" in result || (isObject(result.Ok) && result.Ok.isError === true);
      return outcome(type, event.call_id, failed);
    }
    case "patch_apply_end":
      return outcome(type, event.call_id, event.success === false);
    case "exec_command_end":
      return outcome(type, event.call_id, event.exit_code !== 0);
    case "turn_aborted":
      return { kind: "turn_aborted", ...optional("reason", string(event.reason)) };
    case "task_complete":
      return {
        kind: "task_complete",
        ...optional("lastAgentMessage", string(event.last_agent_message)),
        ...optional("error", isObject(event.error) ? errorOf(event.error) : undefined),
      };
    case "error":
      return { kind: "error", ...errorOf(event) };
    default:
      return { kind: "other", type };
  }
}

function message(text: string | undefined, phase: unknown): EventRecord {
  if (text === undefined) return { kind: "broken" };
  return { kind: "message", text, ...optional("phase", string(phase)) };
}

function outcome(type: string, id: unknown, failed: boolean): EventRecord {
  return typeof id === "string" ? { kind: "outcome", id, failed } : { kind: "other", type };
}

function errorOf(error: Fields): { message: string; info: unknown } {
  return { message: string(error.message) ?? "", info: error.codex_error_info };
}

/** Token counts as codex writes them; what is no count (missing, negative, a fraction) is 0. */
export function usageOf(value: unknown): Usage {
  const counts = isObject(value) ? value : {};
  const count = (key: string): number => {
    const found = counts[key];
    return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : 0;
  };
  return {
    inputTokens: count("input_tokens"),
    cachedInputTokens: count("cached_input_tokens"),
    outputTokens: count("output_tokens"),
    reasoningOutputTokens: count("reasoning_output_tokens"),
  };
}

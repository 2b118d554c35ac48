/**
 * What codex reports beside the conversation: the `event_msg` lines of a rollout; and how it shows that
 * a call failed.
 *
 * @module
 */
import { type Fields, isObject, optional, string } from "../../base/json_object.ts";

/** Token counts as codex reports them. `inputTokens` includes the cached ones. */
export interface Usage {
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningOutputTokens: number;
}

/** The model's context after its latest request, in tokens: what stands in it, and what it takes. */
export interface ContextUse {
  used: number;
  window: number;
}

/** What codex reported. `outcome` tells how the call `id` went; the model does not see it. */
export type EventRecord =
  | { kind: "outcome"; id: string; failed: boolean }
  /** The model started another agent, which has a thread of its own (seen from 0.144.6 on). */
  | { kind: "sub_agent"; threadId: string }
  /**
   * The model said something; `phase` is `commentary` or `final_answer` where codex knows, and `async` for
   * what it sent in the middle of a turn (`delivery`, seen from 0.158.0 on), whatever codex calls its phase.
   */
  | { kind: "message"; text: string; phase?: string }
  | { kind: "usage"; total: Usage; last: Usage; context?: ContextUse; limitsReset?: number[] }
  /** When the account's limits reset, in seconds since 1970; without tokens, where a request was refused. */
  | { kind: "limits"; limitsReset: number[] }
  | { kind: "task_started" }
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
      const limitsReset = resetsOf(event.rate_limits);
      if (!isObject(event.info)) {
        return limitsReset === undefined
          ? { kind: "other", type }
          : { kind: "limits", limitsReset };
      }
      const { total_token_usage: total, last_token_usage: last } = event.info;
      const context = contextOf(last, event.info.model_context_window);
      return {
        kind: "usage",
        total: usageOf(total),
        last: usageOf(last),
        ...optional("context", context),
        ...optional("limitsReset", limitsReset),
      };
    }
    case "agent_message":
      return message(string(event.message), event);
    case "item_completed": {
      const item = isObject(event.item) ? event.item : {};
      if (item.type === "SubAgentActivity") return subAgent(type, item);
      if (item.type === "AgentMessage") return message(texts(item.content).join(""), item);
      const failed = item.status === "failed" || item.status === "declined" ||
        (typeof item.exit_code === "number" && item.exit_code !== 0);
      return outcome(type, item.id, failed);
    }
    case "sub_agent_activity":
      return subAgent(type, event);
    case "mcp_tool_call_end": {
      const result = isObject(event.result) ? event.result : {};
      const failed = "Err" in result || (isObject(result.Ok) && result.Ok.isError === true);
      return outcome(type, event.call_id, failed);
    }
    case "patch_apply_end":
      return outcome(type, event.call_id, event.success === false);
    case "exec_command_end":
      return outcome(type, event.call_id, event.exit_code !== 0);
    case "task_started":
      return { kind: type };
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

/** `rate_limits` has one window or two, each with `resets_at`. */
function resetsOf(limits: unknown): number[] | undefined {
  if (!isObject(limits)) return undefined;
  const resets = [limits.primary, limits.secondary]
    .flatMap((window) => isObject(window) ? window.resets_at : [])
    .filter((time): time is number => typeof time === "number" && Number.isSafeInteger(time));
  return resets.length === 0 ? undefined : resets;
}

function message(text: string | undefined, fields: Fields): EventRecord {
  if (text === undefined) return { kind: "broken" };
  return { kind: "message", text, ...optional("phase", phaseOf(fields)) };
}

/** The phase of a message, here and in what an app-server notifies. */
export function phaseOf({ phase, delivery }: Fields): string | undefined {
  return delivery === "async" ? "async" : string(phase);
}

/** An item of newer versions, an event of its own up to 0.146.1 at least. */
function subAgent(type: string, activity: Fields): EventRecord {
  const threadId = activity.kind === "started" ? string(activity.agent_thread_id) : undefined;
  return threadId === undefined ? { kind: "other", type } : { kind: "sub_agent", threadId };
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
  const count = (key: string): number => countOf(counts[key]) ?? 0;
  return {
    inputTokens: count("input_tokens"),
    cachedInputTokens: count("cached_input_tokens"),
    outputTokens: count("output_tokens"),
    reasoningOutputTokens: count("reasoning_output_tokens"),
  };
}

function contextOf(last: unknown, window: unknown): ContextUse | undefined {
  const used = isObject(last) ? countOf(last.total_tokens) : undefined;
  const size = countOf(window);
  return used === undefined || size === undefined ? undefined : { used, window: size };
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/*
 * Did a call fail? codex does not mark an output record as an error. It says so elsewhere:
 *
 * - In an event of the same call id. In every captured run (0.135, 0.150, 0.169) it stands *before* the
 *   output record when the call ended by itself: `mcp_tool_call_end` and `patch_apply_end` up to 0.146,
 *   `item_completed` with status `failed` or `declined`, or an exit code that is not 0, from 0.148.
 * - In the head of the output itself: `Process exited with code 3`, `Exit code: 1`, `Script failed`. Shell
 *   calls have no event before 0.148, and none where the sandbox blocked them (0.169).
 * - In a sentence of codex's own that stands for the output: `unsupported call: …`, `aborted by user …`.
 *   After a cancel the event comes later than the output (0.169); the sentence is what there is in time.
 *
 * So a result is never held back to wait for an event: an event seen before it, and its own text, decide.
 * Only codex's words before the tool's output are looked at, never what the tool printed.
 */

/** `Chunk ID` and `Wall time` are codex's head of a shell output, and so is the line after them. */
const EXIT_CODE =
  /^(?:Chunk ID: .*\n)?(?:Wall time: .*\n)?(?:Process exited with code|Exit code:) (-?\d+)\n/;

/** A shell's output as JSON in a string, which older versions and some models have. */
const JSON_OUTPUT = /^\{"output":".*","metadata":\{"exit_code":(-?\d+),[^{}]*\}\}$/s;

/** Whole outputs that codex wrote instead of a tool. */
const REFUSALS = [
  /^unsupported call: /,
  /^failed to parse function arguments: /,
  /^(?:Wall time: [\d.]+ seconds\n)?aborted(?: by user[^\n]*)?$/,
  /^Script failed\n/,
  /^(?:apply_patch verification|exec_command|write_stdin) failed\b/,
  /^(?:Tool call|Command) blocked by /, // a hook of the user's
  /^unable to locate image at /,
  /^\w+ is unavailable in /,
];

/** Arguments of an MCP call that were no JSON: the server was never asked, so there is no event. */
const NEVER_SENT = /^Wall time: [\d.]+ seconds\nOutput:\n(?:\[\{"type":"text","text":")?err: /;

/**
 * Whether the output, by codex's own words in it, tells of a failure.
 *
 * @param eventSeen whether codex reported an event for this call; it then decides what the words leave open.
 */
export function tellsFailure(output: string | unknown[], eventSeen: boolean): boolean {
  const text = typeof output === "string" ? output : headOf(output);
  const exit = EXIT_CODE.exec(text) ?? JSON_OUTPUT.exec(text);
  if (exit !== null) return exit[1] !== "0";
  return REFUSALS.some((refusal) => refusal.test(text)) || (!eventSeen && NEVER_SENT.test(text));
}

/** The first two text parts: codex puts its own words into the first, the tool's into the next. */
function headOf(parts: unknown[]): string {
  return parts.slice(0, 2).map(textOf).join("\n");
}

function textOf(part: unknown): string {
  if (typeof part !== "object" || part === null || !("text" in part)) return "";
  return typeof part.text === "string" ? part.text : "";
}

/** The texts of content parts, a list of `{text}`. */
export function texts(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) => isObject(part) ? string(part.text) ?? [] : []);
}

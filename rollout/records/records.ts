/**
 * What a line of a codex rollout means.
 *
 * A rollout is `$CODEX_HOME/sessions/YYYY/MM/DD/rollout-<time>-<thread id>.jsonl`, one JSON object per
 * line: `{"timestamp","type","payload"}`, from codex 0.148 on with an `"ordinal"` after the timestamp.
 *
 * - `response_item` is what the model sees: `function_call` and `custom_tool_call` with their
 *   `_output`s, `local_shell_call`, `tool_search_call` and `tool_search_output`, messages, reasoning.
 * - `event_msg` is what codex reported meanwhile (`events.ts`): what the model said (`agent_message` up to 0.146, an
 *   `item_completed` from 0.148; a compaction's summary is in neither), `token_count`, `turn_aborted`, `task_complete`,
 *   `error`, and how a call went, which its output record does not say: `mcp_tool_call_end` and
 *   `patch_apply_end` (up to 0.146), `item_completed` (from 0.148).
 * - `turn_context` opens a turn and says what counts for it: model, sandbox, approvals, directory.
 * - `compacted` replaces the history so far by `replacement_history`, a list of response items.
 * - `session_meta` is the first line and carries the thread's id.
 *
 * Unknown types are `other`, lines that are not JSON are `broken`; readers pass both by.
 *
 * @module
 */

import { type Fields, isObject, optional, string } from "../../base/json_object.ts";
import { memberSpan, rootOf, textOf } from "../../base/raw_json.ts";
import { decodeEvent, type EventRecord, texts } from "./events.ts";
import { kindOf } from "./line_kind.ts";

/** A tool call as the model made it. `arguments` is exactly the recorded text. */
export interface CallRecord {
  kind: "call";
  form: "function_call" | "custom_tool_call" | "local_shell_call" | "tool_search_call";
  id: string;
  name: string;
  namespace?: string;
  arguments: string;
}

/** The first line of a rollout. */
export interface SessionMetaRecord {
  kind: "session_meta";
  threadId: string;
  cwd?: string;
  cliVersion?: string;
  /** `paginated` where records are numbered (0.148 and later). */
  historyMode?: string;
  /** The thread whose sub-agent this is. */
  parentThreadId?: string;
}

/**
 * What counts for the turn that begins, whatever was asked for: `/etc/codex/requirements.toml` and codex's
 * own configuration may have changed it. Fields that a version does not write are absent.
 */
export interface TurnContextRecord {
  kind: "turn_context";
  cwd?: string;
  model?: string;
  /** `never`, `on-request`, `untrusted`, … */
  approval?: string;
  /** `read-only`, `workspace-write`, `danger-full-access`, `external-sandbox`, … */
  sandbox?: string;
  /** Of a `workspace-write` sandbox. */
  networkAccess?: boolean;
  writableRoots?: string[];
}

/** A decoded line. */
export type RolloutRecord =
  | SessionMetaRecord
  | CallRecord
  | { kind: "output"; id: string; output: string | unknown[] }
  /** A reasoning summary. */
  | { kind: "thought"; text: string }
  | { kind: "compacted"; items: unknown[] }
  | TurnContextRecord
  | EventRecord;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Decodes one line. Never throws: what cannot be read is `broken`. A byte order mark is skipped. */
export function decodeRecord(line: Uint8Array): RolloutRecord {
  try {
    return recordOf(JSON.parse(decoder.decode(line)), line);
  } catch {
    return { kind: "broken" };
  }
}

/** What a parsed line means; `line` is for what has to be told as it was written. */
export function recordOf(parsed: unknown, line: Uint8Array): RolloutRecord {
  if (!isObject(parsed)) return { kind: "broken" };
  // The first versions wrote the thread's description and its items without an envelope.
  if (typeof parsed.type !== "string") return { kind: "other", type: "" };
  const payload = isObject(parsed.payload) ? parsed.payload : {};
  switch (parsed.type) {
    case "response_item":
      return responseItem(payload, line);
    case "event_msg":
      return decodeEvent(payload);
    case "compacted": {
      const history = payload.replacement_history;
      return { kind: "compacted", items: Array.isArray(history) ? history : [] };
    }
    case "turn_context":
      return turnContext(payload);
    case "session_meta":
      return sessionMeta(payload);
    default:
      return { kind: "other", type: parsed.type };
  }
}

function sessionMeta(payload: Fields): SessionMetaRecord {
  const source = isObject(payload.source) ? payload.source : {};
  const agent = isObject(source.subagent) ? source.subagent : {};
  const spawn = isObject(agent.thread_spawn) ? agent.thread_spawn : {};
  return {
    kind: "session_meta",
    threadId: string(payload.id) ?? "",
    ...optional("cwd", string(payload.cwd)),
    ...optional("cliVersion", string(payload.cli_version)),
    ...optional("historyMode", string(payload.history_mode)),
    ...optional(
      "parentThreadId",
      string(spawn.parent_thread_id) ?? string(payload.forked_from_id),
    ),
  };
}

function turnContext(payload: Fields): TurnContextRecord {
  const policy = isObject(payload.sandbox_policy) ? payload.sandbox_policy : {};
  const { network_access: network, writable_roots: roots } = policy;
  return {
    kind: "turn_context",
    ...optional("cwd", string(payload.cwd)),
    ...optional("model", string(payload.model)),
    ...optional("approval", string(payload.approval_policy)),
    // The first versions have `mode` instead of `type`.
    ...optional("sandbox", string(policy.type) ?? string(policy.mode)),
    ...optional("networkAccess", typeof network === "boolean" ? network : undefined),
    ...optional(
      "writableRoots",
      Array.isArray(roots) ? roots.flatMap((root: unknown) => string(root) ?? []) : undefined,
    ),
  };
}

function responseItem(item: Fields, line: Uint8Array): RolloutRecord {
  const type = string(item.type) ?? "";
  if (type === "reasoning") return thought(item.summary);
  const id = string(item.call_id);
  if (id === undefined) return { kind: "other", type };
  const call = (form: CallRecord["form"], name: string, key: string): CallRecord => ({
    kind: "call",
    form,
    id,
    name,
    ...optional("namespace", string(item.namespace)),
    arguments: string(item[key]) ?? asWritten(line, key),
  });
  switch (type) {
    case "function_call":
      return call(type, string(item.name) ?? "", "arguments");
    case "custom_tool_call":
      return call(type, string(item.name) ?? "", "input");
    case "local_shell_call":
      return call(type, "local_shell", "action");
    case "tool_search_call":
      return call(type, "tool_search", "arguments");
    case "function_call_output":
    case "custom_tool_call_output":
      return { kind: "output", id, output: outputOf(item.output) };
    case "tool_search_output":
      return { kind: "output", id, output: outputOf(item.tools) };
    default:
      return { kind: "other", type };
  }
}

/** Arguments that are an object, not a string, are given as the file has them. */
function asWritten(line: Uint8Array, key: string): string {
  const payload = memberSpan(line, rootOf(line), "payload");
  const span = payload && memberSpan(line, payload.start, key);
  return span === undefined ? "" : textOf(line, span);
}

/** codex rejects an output that is neither string nor array and tells the model `aborted`. */
function outputOf(value: unknown): string | unknown[] {
  return typeof value === "string" || Array.isArray(value) ? value : "aborted";
}

/** codex prints no reasoning without a summary, and joins its parts as here. */
function thought(summary: unknown): RolloutRecord {
  const parts = texts(summary);
  if (parts.length === 0) return { kind: "other", type: "reasoning" };
  return { kind: "thought", text: parts.join("\n") };
}

const CALL_ID = /"call_id":("(?:[^"\\]|\\.)*")/;

/**
 * What can be said of a line of `length` bytes, too long to be loaded, of which only `head` was read. codex
 * writes an output's `call_id` before the output: the host learns that there is a result and how long it is.
 */
export function overlongRecord(head: Uint8Array, length: number): RolloutRecord {
  const id = kindOf(head) === "output" ? callIdIn(new TextDecoder().decode(head)) : undefined;
  if (id === undefined) return { kind: "other", type: "overlong" };
  return {
    kind: "output",
    id,
    output: `[an output of ${length} bytes is recorded; it is too long to be shown]`,
  };
}

function callIdIn(head: string): string | undefined {
  const written = CALL_ID.exec(head)?.[1];
  try {
    return written === undefined ? undefined : String(JSON.parse(written));
  } catch {
    return undefined; // an escape that is none: codex wrote something else
  }
}

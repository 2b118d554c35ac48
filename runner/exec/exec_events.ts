/**
 * The wire of `codex exec --json`: one JSON object per line on stdout, decoded by one schema.
 *
 * Seen on 0.135 to 0.169: `thread.started`, `turn.started`, `item.started|updated|completed`,
 * `turn.completed`, `turn.failed`, `error`. Traps that the names do not tell:
 * - only `turn.failed` is fatal; a top-level `error` is progress ("Reconnecting... 1/2 (…)");
 * - an item of type `error` is a warning, and may come before `turn.started`;
 * - `usage` counts the thread, not the turn;
 * - `web_search` items carry the key `id` twice; `item.id` restarts at `item_0` in every process;
 * - `item.started` without `item.completed` happens, and so do tools without any item.
 *
 * @module
 */
import * as z from "zod/mini";
import { type Usage, usageOf } from "../../rollout/records/events.ts";

const Line = z.looseObject({
  type: z.string(),
  thread_id: z.optional(z.string()),
  message: z.optional(z.string()),
  error: z.optional(z.unknown()),
  // Not looked at here: a count that cannot be read must not cost the turn its end.
  usage: z.optional(z.unknown()),
  item: z.optional(z.looseObject({
    id: z._default(z.string(), ""),
    type: z.string(),
    text: z.optional(z.string()),
    message: z.optional(z.string()),
    query: z.optional(z.string()),
    items: z.optional(z.array(z.looseObject({
      text: z._default(z.string(), ""),
      completed: z._default(z.boolean(), false),
    }))),
  })),
});

/** A step of codex's todo list. */
export interface PlanStep {
  text: string;
  completed: boolean;
}

/** One line of codex's stdout, decoded. */
export type ExecEvent =
  | { type: "thread_started"; threadId: string }
  | { type: "turn_started" }
  | { type: "turn_completed"; usage: Usage | undefined }
  | { type: "turn_failed"; message: string }
  /** Progress that reads like an error: reconnects, mostly. */
  | { type: "notice"; message: string }
  | { type: "agent_message"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "warning"; message: string }
  | { type: "plan"; steps: PlanStep[] }
  | { type: "web_search"; query: string }
  /** Tool activity; the rollout tells it in full. */
  | { type: "tool"; phase: "started" | "updated" | "completed"; id: string; kind: string }
  /** A type that this version of the plugin does not know. */
  | { type: "unknown"; name: string }
  /** Not JSON, or not of the shape its type promises. */
  | { type: "broken"; reason: string };

const TOOL_ITEMS = new Set([
  "command_execution",
  "mcp_tool_call",
  "file_change",
  "collab_tool_call",
]);

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Decodes one line; never throws. Blank lines are `undefined`. */
export function decodeExecLine(bytes: Uint8Array): ExecEvent | undefined {
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    if (text.trim() === "") return undefined;
    value = JSON.parse(text);
  } catch {
    return { type: "broken", reason: `not JSON (${bytes.length} bytes)` };
  }
  const parsed = z.safeParse(Line, value);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join(".") ?? "";
    return { type: "broken", reason: `unexpected shape at ${at === "" ? "the top" : at}` };
  }
  return classify(parsed.data);
}

function classify(line: z.infer<typeof Line>): ExecEvent {
  switch (line.type) {
    case "thread.started":
      return line.thread_id === undefined
        ? { type: "broken", reason: "thread.started without thread_id" }
        : { type: "thread_started", threadId: line.thread_id };
    case "turn.started":
      return { type: "turn_started" };
    case "turn.completed":
      return { type: "turn_completed", usage: line.usage ? usageOf(line.usage) : undefined };
    case "turn.failed":
      return { type: "turn_failed", message: reasonIn(line.error) };
    case "error":
      return { type: "notice", message: line.message ?? "codex gave no message" };
    case "item.started":
    case "item.updated":
    case "item.completed":
      return line.item === undefined
        ? { type: "broken", reason: `${line.type} without item` }
        : classifyItem(line.item, line.type);
    default:
      return { type: "unknown", name: line.type };
  }
}

/** The last word is believed whatever the shape of its reason. */
function reasonIn(error: unknown): string {
  const { message } = typeof error === "object" && error !== null && "message" in error
    ? error
    : { message: error };
  return typeof message === "string" && message !== "" ? message : "codex gave no reason";
}

function classifyItem(
  item: NonNullable<z.infer<typeof Line>["item"]>,
  event: "item.started" | "item.updated" | "item.completed",
): ExecEvent {
  if (TOOL_ITEMS.has(item.type)) {
    const phase = event === "item.started"
      ? "started"
      : event === "item.updated"
      ? "updated"
      : "completed";
    return { type: "tool", phase, id: item.id, kind: item.type };
  }
  switch (item.type) {
    // Seen only as item.completed; a started twin of a later version would carry half the text.
    case "agent_message":
      return event === "item.completed"
        ? { type: "agent_message", text: item.text ?? "" }
        : { type: "unknown", name: `${event} ${item.type}` };
    case "reasoning":
      return event === "item.completed"
        ? { type: "reasoning", text: item.text ?? "" }
        : { type: "unknown", name: `${event} ${item.type}` };
    case "error":
      return { type: "warning", message: item.message ?? item.text ?? "codex gave no message" };
    case "todo_list":
      return { type: "plan", steps: item.items ?? [] };
    case "web_search":
      // Started and completed look alike; one of them is news.
      return event === "item.completed"
        ? { type: "web_search", query: item.query ?? "" }
        : { type: "tool", phase: "started", id: item.id, kind: item.type };
    default:
      return { type: "unknown", name: `${event} ${item.type}` };
  }
}

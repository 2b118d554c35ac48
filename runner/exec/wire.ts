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
import { type Line as ByteLine, LineSplitter } from "../../base/lines.ts";
import { Slices } from "../../base/timer.ts";
import { usageOf } from "../../rollout/records/events.ts";
import type { CodexEvent } from "../transport.ts";

/** Longest line that is decoded. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

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

const TOOL_ITEMS = new Set([
  "command_execution",
  "mcp_tool_call",
  "file_change",
  "collab_tool_call",
]);

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * What `chunks` of stdout say, line by line. Nothing is read ahead of who asks; whoever floods the pipe
 * does not keep others from running.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CodexEvent> {
  const lines = new LineSplitter(MAX_LINE_BYTES);
  for await (const chunk of chunks) {
    const slices = new Slices();
    let whole = 0;
    for (const line of lines.push(chunk)) {
      whole++;
      if (slices.due) await slices.next();
      const event = decodeLine(line);
      if (event !== undefined) yield event;
    }
    if (whole === 0) yield { type: "alive" }; // in the middle of a long line
  }
  const rest = lines.end();
  const last = rest && decodeLine(rest);
  if (last !== undefined) yield last;
}

function decodeLine(line: ByteLine): CodexEvent | undefined {
  if (line.overlong === undefined) return decodeExecLine(line.bytes);
  return { type: "broken", reason: `longer than ${MAX_LINE_BYTES} bytes (${line.overlong})` };
}

/** Decodes one line; never throws. Blank lines are `undefined`. */
export function decodeExecLine(bytes: Uint8Array): CodexEvent | undefined {
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    if (text.trim() === "") return undefined;
    // Told without an exception: somebody else may be writing here, and much.
    if (!/^\s*[[{]/.test(text)) return { type: "broken", reason: notJson(bytes) };
    value = JSON.parse(text);
  } catch {
    return { type: "broken", reason: notJson(bytes) };
  }
  const parsed = z.safeParse(Line, value);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join(".") ?? "";
    return { type: "broken", reason: `unexpected shape at ${at === "" ? "the top" : at}` };
  }
  return classify(parsed.data);
}

function notJson({ length }: Uint8Array): string {
  return `not JSON (${length} bytes)`;
}

function classify(line: z.infer<typeof Line>): CodexEvent {
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
      return notice(line.message ?? "codex gave no message");
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
): CodexEvent {
  // The rollout tells of tools in full, with codex's own ids.
  if (TOOL_ITEMS.has(item.type)) return { type: "alive" };
  switch (item.type) {
    // Seen only as item.completed; a started twin of a later version would carry half the text.
    case "agent_message":
      return event === "item.completed"
        ? { type: "message", item: item.id, text: item.text ?? "" }
        : { type: "unknown", name: `${event} ${item.type}` };
    case "reasoning":
      return event === "item.completed"
        ? { type: "reasoning", item: item.id, text: item.text ?? "" }
        : { type: "unknown", name: `${event} ${item.type}` };
    case "error":
      return { type: "warning", message: item.message ?? item.text ?? "codex gave no message" };
    case "todo_list":
      return { type: "plan", steps: item.items ?? [] };
    case "web_search":
      // Started and completed look alike; one of them is news.
      return event === "item.completed"
        ? { type: "web_search", query: item.query ?? "" }
        : { type: "alive" };
    default:
      return { type: "unknown", name: `${event} ${item.type}` };
  }
}

/**
 * "Reconnecting... waiting for network (…)" and "Reconnecting... 2/5 (…)"; the first of a numbered
 * series follows on a connection that stood.
 */
function notice(message: string): CodexEvent {
  return { type: "notice", message, reconnecting: /^Reconnecting\.\.\. (?!1\/)/.test(message) };
}

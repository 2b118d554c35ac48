/**
 * What the first bytes of a rollout line say about it, without decoding anything.
 *
 * codex writes every line with the same head: `{"timestamp":"<24 characters>",` then, from 0.148 on,
 * `"ordinal":N,` then `"type":"…","payload":{"type":"…"`. Comparing those bytes is about nine times as
 * fast as parsing every line. A head that looks otherwise (another writer, an edit by hand, a byte order
 * mark) is `unsure`, and the reader decodes that line to know.
 *
 * @module
 */

/** `other` cannot matter to a turn or to a consume; `unsure` must be decoded to know. */
export type LineKind =
  | "call"
  | "output"
  | "event"
  | "compacted"
  | "session_meta"
  | "turn_context"
  | "other"
  | "unsure";

const encoder = new TextEncoder();

const HEAD = encoder.encode('{"timestamp":"');
const TIMESTAMP_END = HEAD.length + "2026-11-22T12:26:37.004Z".length;
const AFTER_TIMESTAMP = encoder.encode('",');
const ORDINAL = encoder.encode('"ordinal":');
const TYPE = encoder.encode('"type":"');
const PAYLOAD_TYPE = encoder.encode(',"payload":{"type":"');

type Word<K> = { bytes: Uint8Array; kind: K };

const TYPES = words({
  response_item: "response_item",
  event_msg: "event_msg",
  compacted: "compacted",
  session_meta: "session_meta",
  turn_context: "turn_context",
});
const RESPONSE_ITEMS = words<LineKind>({
  function_call: "call",
  function_call_output: "output",
  custom_tool_call: "call",
  custom_tool_call_output: "output",
  local_shell_call: "call",
  tool_search_call: "call",
  tool_search_output: "output",
  reasoning: "event",
});
const EVENTS = words<LineKind>({
  agent_message: "event",
  token_count: "event",
  item_completed: "event",
  sub_agent_activity: "event",
  mcp_tool_call_end: "event",
  patch_apply_end: "event",
  exec_command_end: "event",
  task_started: "event",
  turn_aborted: "event",
  task_complete: "event",
  error: "event",
});

/** Classifies a line by its head. `line` may be cut after the first few hundred bytes. */
export function kindOf(line: Uint8Array): LineKind {
  if (!startsWith(line, 0, HEAD) || !startsWith(line, TIMESTAMP_END, AFTER_TIMESTAMP)) {
    return line.every((byte) => byte <= 0x20) ? "other" : "unsure";
  }
  let at = TIMESTAMP_END + AFTER_TIMESTAMP.length;
  if (startsWith(line, at, ORDINAL)) {
    at += ORDINAL.length;
    while (isDigit(line[at])) at++;
    if (line[at++] !== 0x2c) return "unsure";
  }
  if (!startsWith(line, at, TYPE)) return "unsure";
  at += TYPE.length;
  const type = lookUp(TYPES, line, at);
  if (type === undefined) return "other";
  at += type.bytes.length;
  switch (type.kind) {
    case "response_item":
    case "event_msg": {
      if (!startsWith(line, at, PAYLOAD_TYPE)) return "unsure";
      const inner = type.kind === "response_item" ? RESPONSE_ITEMS : EVENTS;
      return lookUp(inner, line, at + PAYLOAD_TYPE.length)?.kind ?? "other";
    }
    default:
      return type.kind;
  }
}

/** Each word with its closing quote, so that one word is never taken for the start of another. */
function words<K extends string>(table: Record<string, K>): Word<K>[] {
  return Object.entries(table).map(([word, kind]) => ({ bytes: encoder.encode(`${word}"`), kind }));
}

function lookUp<K>(table: Word<K>[], line: Uint8Array, at: number): Word<K> | undefined {
  for (const word of table) if (startsWith(line, at, word.bytes)) return word;
  return undefined;
}

function startsWith(line: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (line[at + i] !== prefix[i]) return false;
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

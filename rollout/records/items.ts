/**
 * The response items in a line that belong to a call, and where their fields are.
 *
 * A line has one such item, or several where it is a compaction (`payload.replacement_history`), or none.
 *
 * @module
 */

import {
  readArray,
  readObject,
  rootOf,
  type Span,
  spanOf,
  spells,
  stringAt,
} from "../../base/raw_json.ts";

/** An item of a call. Spans are of the fields' values. */
export interface CallItem {
  callId: string;
  /** Arguments of a function call, input of a custom one; what a heavy consume takes. */
  input?: Span;
  /** The output of either. */
  output?: Span;
}

/** The call items of a line, in its order; none in a line that is cut. */
export function callItemsIn(line: Uint8Array): CallItem[] {
  const payload: Fields = {};
  const history: CallItem[] = [];
  let type: Span | undefined;
  const end = readObject(line, rootOf(line), (key, value) => {
    if (spells(line, key, "type")) return (type = spanOf(line, value)).end;
    if (!spells(line, key, "payload")) return;
    history.length = 0;
    return readItem(line, value, payload, (list) => {
      history.length = 0;
      return readArray(line, list, (element) => {
        const fields: Fields = {};
        const after = readItem(line, element, fields);
        history.push(...toCallItem(line, fields));
        return after;
      });
    });
  });
  if (!isBlankFrom(line, end)) return [];
  switch (stringAt(line, type)) {
    case "response_item":
      return toCallItem(line, payload);
    case "compacted":
      return history;
    default:
      return [];
  }
}

/** Whether nothing but JSON's white space follows; false too where `end` is beyond the line. */
function isBlankFrom(line: Uint8Array, end: number | undefined): boolean {
  if (end === undefined || end > line.length) return false;
  for (let at = end; at < line.length; at++) if (!BLANKS.has(line[at] ?? 0)) return false;
  return true;
}

/** Where the line's JSON ends: before spaces, and before the carriage return of a Windows line end. */
export function contentEnd(line: Uint8Array): number {
  let at = paddedEnd(line);
  while (line[at - 1] === SPACE) at--;
  return at;
}

/** Where the spaces at the end of a line end. */
export function paddedEnd(line: Uint8Array): number {
  return line.at(-1) === RETURN ? line.length - 1 : line.length;
}

const SPACE = 0x20;
const RETURN = 0x0d;
const TAB = 0x09;
const BLANKS = new Set([SPACE, RETURN, TAB]);

const FIELDS = ["type", "call_id", "arguments", "input", "output"] as const;
type Fields = { [K in typeof FIELDS[number]]?: Span };

function readItem(
  line: Uint8Array,
  start: number,
  fields: Fields,
  readHistory?: (value: number) => number,
): number {
  for (const name of FIELDS) delete fields[name];
  return readObject(line, start, (key, value) => {
    for (const name of FIELDS) {
      if (spells(line, key, name)) return (fields[name] = spanOf(line, value)).end;
    }
    if (readHistory && spells(line, key, "replacement_history")) return readHistory(value);
  });
}

function toCallItem(line: Uint8Array, fields: Fields): CallItem[] {
  const callId = stringAt(line, fields.call_id);
  if (callId === undefined) return [];
  const item = (field: "input" | "output", span: Span | undefined): CallItem[] => [
    span === undefined ? { callId } : { callId, [field]: span },
  ];
  switch (stringAt(line, fields.type)) {
    case "function_call":
      return item("input", fields.arguments);
    case "custom_tool_call":
      return item("input", fields.input);
    case "function_call_output":
    case "custom_tool_call_output":
      return item("output", fields.output);
    case "tool_search_call":
    case "tool_search_output":
      return [{ callId }]; // Known, and nothing in it that can be consumed.
    default:
      return [];
  }
}

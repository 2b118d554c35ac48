/**
 * Consumes calls within one line of a rollout: the line in, a line of the same length out.
 *
 * Only the consumed values change, and spaces before the newline make up for what they lose; so every
 * other record stays at its offset, and every other byte of this one stays what it is. A marker that is
 * longer than its value fits only where such spaces are left from before. What is consumed:
 *
 * - `payload.output` of function_call_output and custom_tool_call_output;
 * - `payload.arguments` of function_call and `payload.input` of custom_tool_call, by a heavy consume;
 * - the same items inside `payload.replacement_history` of a compacted line.
 *
 * The last op decides: a light consume after a heavy one changes the marker of the output, the arguments
 * are gone and stay so.
 *
 * @module
 */

import { elementSpans, memberSpan, rootSpan, type Span, textOf } from "./json_span.ts";
import { type ConsumeOp, markersOf } from "./markers.ts";

/** What became of the wanted calls in one line. */
export interface Spliced {
  /** The new line, as long as the old one; `undefined` where nothing changes. */
  line?: Uint8Array;
  /** Wanted call ids that this line has a record of. */
  found: Set<string>;
  /** Those of them whose record changes. */
  changed: Set<string>;
}

interface Replacement {
  id: string;
  span: Span;
  bytes: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const SPACE = 0x20;
const RETURN = 0x0d;

/**
 * Splices `line` (without its newline). Throws SyntaxError where it is not JSON: such a line is codex's to
 * drop and not ours to change.
 */
export function splice(line: Uint8Array, wanted: ReadonlyMap<string, ConsumeOp>): Spliced {
  JSON.parse(decoder.decode(line));
  const found = new Set<string>();
  const wishes: Replacement[] = [];
  for (const item of itemsOf(line)) {
    const id = stringAt(line, memberSpan(line, item, "call_id"));
    const op = id === undefined ? undefined : wanted.get(id);
    if (id === undefined || op === undefined) continue;
    const fields = consumable(stringAt(line, memberSpan(line, item, "type")), op);
    if (fields === undefined) continue;
    found.add(id);
    for (const [key, marker] of fields) {
      const span = memberSpan(line, item, key);
      const bytes = encoder.encode(JSON.stringify(marker));
      if (span !== undefined && stringAt(line, span) !== marker) wishes.push({ id, span, bytes });
    }
  }
  const granted = whatFits(wishes, paddedEnd(line) - contentEnd(line));
  const changed = new Set(granted.map((replacement) => replacement.id));
  return granted.length === 0
    ? { found, changed }
    : { line: replace(line, granted), found, changed };
}

/** The call ids of the consumable records in a line; none in a line that was cut. */
export function* callIdsIn(line: Uint8Array): Generator<string> {
  if (rootSpan(line)?.end !== contentEnd(line)) return;
  for (const item of itemsOf(line)) {
    const id = stringAt(line, memberSpan(line, item, "call_id"));
    const type = stringAt(line, memberSpan(line, item, "type"));
    if (id !== undefined && consumable(type, "consume-heavy") !== undefined) yield id;
  }
}

/** The response items of a line: the payload itself, or the history of a compaction. */
function* itemsOf(line: Uint8Array): Generator<Span> {
  const root = rootSpan(line);
  if (root === undefined) return;
  const payload = memberSpan(line, root, "payload");
  if (payload === undefined) return;
  switch (stringAt(line, memberSpan(line, root, "type"))) {
    case "response_item":
      yield payload;
      return;
    case "compacted": {
      const history = memberSpan(line, payload, "replacement_history");
      if (history !== undefined) yield* elementSpans(line, history);
    }
  }
}

/** Which fields of an item `op` replaces by what; `undefined` for an item that is no part of a call. */
function consumable(
  type: string | undefined,
  op: ConsumeOp,
): [key: string, marker: string][] | undefined {
  const { output, input } = markersOf(op);
  switch (type) {
    case "function_call":
      return input === undefined ? [] : [["arguments", input]];
    case "custom_tool_call":
      return input === undefined ? [] : [["input", input]];
    case "function_call_output":
    case "custom_tool_call_output":
      return [["output", output]];
    default:
      return undefined;
  }
}

/** All that shrinks, and of what grows as much as finds room, in the order of the line. */
function whatFits(wishes: Replacement[], padding: number): Replacement[] {
  const growth = ({ span, bytes }: Replacement): number => bytes.length - (span.end - span.start);
  let room = padding;
  for (const wish of wishes) room -= Math.min(growth(wish), 0);
  return wishes.filter((wish) => {
    if (growth(wish) <= 0) return true;
    if (growth(wish) > room) return false;
    room -= growth(wish);
    return true;
  });
}

function replace(line: Uint8Array, replacements: Replacement[]): Uint8Array {
  const result = new Uint8Array(line.length).fill(SPACE);
  const end = contentEnd(line);
  let from = 0;
  let to = 0;
  for (const { span, bytes } of replacements.toSorted((a, b) => a.span.start - b.span.start)) {
    result.set(line.subarray(from, span.start), to);
    to += span.start - from;
    result.set(bytes, to);
    to += bytes.length;
    from = span.end;
  }
  result.set(line.subarray(from, end), to);
  if (line.at(-1) === RETURN) result[line.length - 1] = RETURN;
  return result;
}

/** Where the line's JSON ends: before spaces, and before the carriage return of a Windows line end. */
function contentEnd(line: Uint8Array): number {
  let at = paddedEnd(line);
  while (line[at - 1] === SPACE) at--;
  return at;
}

function paddedEnd(line: Uint8Array): number {
  return line.at(-1) === RETURN ? line.length - 1 : line.length;
}

function stringAt(line: Uint8Array, span: Span | undefined): string | undefined {
  if (span === undefined || line[span.start] !== 0x22) return undefined;
  try {
    const value: unknown = JSON.parse(textOf(line, span));
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

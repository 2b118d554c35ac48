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
 * What a consumed call looks like afterwards is in the host's words (`docs/protocol.md` section 5). The last
 * op decides: a light consume after a heavy one changes the marker of the output, the arguments
 * are gone and stay so.
 *
 * @module
 */

import { callItemsIn, contentEnd, paddedEnd } from "../records/items.ts";
import { type Span, stringAt } from "../../base/json_span.ts";

/** The ways to consume a call. */
export type ConsumeOp = "consume-light" | "consume-heavy";

/** What stands in a record instead of its content. */
export interface Markers {
  /** Every recorded output of the call becomes this string. */
  output: string;
  /** The arguments of the call become this text; left as they are where it is missing. */
  input?: string;
}

const MARKERS: Record<ConsumeOp, Markers> = {
  "consume-light": { output: "...(consumed)" },
  "consume-heavy": { output: "...(tool called)", input: "{}" },
};

/** Whether `op` is one of the known ways. */
export function isConsumeOp(op: string): op is ConsumeOp {
  return Object.hasOwn(MARKERS, op);
}

/** The markers of `op`. */
export function markersOf(op: ConsumeOp): Markers {
  return MARKERS[op];
}

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

/**
 * Splices `line` (without its newline). Throws SyntaxError or TypeError where it is not JSON in UTF-8: such
 * a line is codex's to drop and not ours to change.
 */
export function splice(line: Uint8Array, wanted: ReadonlyMap<string, ConsumeOp>): Spliced {
  JSON.parse(decoder.decode(line));
  const found = new Set<string>();
  const wishes: Replacement[] = [];
  for (const { callId: id, input, output } of callItemsIn(line)) {
    const op = wanted.get(id);
    if (op === undefined) continue;
    found.add(id);
    const markers = markersOf(op);
    for (const [span, marker] of [[input, markers.input], [output, markers.output]] as const) {
      if (span === undefined || marker === undefined || stringAt(line, span) === marker) continue;
      wishes.push({ id, span, bytes: encoder.encode(JSON.stringify(marker)) });
    }
  }
  const granted = whatFits(wishes, paddedEnd(line) - contentEnd(line));
  const changed = new Set(granted.map((replacement) => replacement.id));
  return granted.length === 0
    ? { found, changed }
    : { line: replace(line, granted), found, changed };
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
  let from = 0;
  let to = 0;
  const copy = (part: Uint8Array): void => {
    result.set(part, to);
    to += part.length;
  };
  for (const { span, bytes } of replacements.toSorted((a, b) => a.span.start - b.span.start)) {
    copy(line.subarray(from, span.start));
    copy(bytes);
    from = span.end;
  }
  copy(line.subarray(from, contentEnd(line)));
  result.set(line.subarray(paddedEnd(line)), paddedEnd(line));
  return result;
}

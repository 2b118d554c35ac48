/**
 * From "consume these calls" to the bytes that change.
 *
 * @module
 */
import { type Span, stringAt } from "../../base/raw_json.ts";
import { Slices } from "../../base/timer.ts";
import { callItemsIn, contentEnd, paddedEnd } from "../records/items.ts";
import type { RolloutFile } from "../rollout_file.ts";
import { readAt } from "../scan.ts";
import { hashOf, type IndexEntry } from "../state/call_index.ts";
import type { Edit } from "./edit.ts";

/** The changes to a rollout that consume some calls. */
export interface Plan {
  edits: Edit[];
  /** Wanted ids that have a record. */
  found: Set<string>;
  /** Wanted ids of which a record changes. */
  changed: Set<string>;
}

const CONTEXT_BYTES = 256;

/**
 * The lines in the order of the file, each once, in batches of at most so many bytes or a single line. At
 * least one batch, which may be empty.
 */
export function batchesOf(lines: readonly IndexEntry[], bytes: number): IndexEntry[][] {
  const unique = new Map(lines.map((entry) => [entry.offset, entry]));
  let batch: IndexEntry[] = [];
  const batches = [batch];
  let room = bytes;
  for (const entry of [...unique.values()].sort((a, b) => a.offset - b.offset)) {
    if (entry.length > room && batch.length > 0) {
      batches.push(batch = []);
      room = bytes;
    }
    batch.push(entry);
    room -= entry.length;
  }
  return batches;
}

/**
 * Plans the changes on these lines, each given once; others run between two. `undefined` when a line is not
 * what the index said: the index must be made anew.
 */
export async function planEdits(
  rollout: RolloutFile,
  lines: readonly IndexEntry[],
  wanted: ReadonlyMap<string, ConsumeOp>,
): Promise<Plan | undefined> {
  const plan: Plan = { edits: [], found: new Set(), changed: new Set() };
  const slices = new Slices();
  for (const entry of lines) {
    if (slices.due) await slices.next();
    const line = readAt(rollout.file, entry.offset, entry.length);
    const spliced = spliceAsIndexed(line, entry, wanted);
    if (spliced === undefined) return undefined;
    for (const id of spliced.found) plan.found.add(id);
    for (const id of spliced.changed) plan.changed.add(id);
    if (spliced.line !== undefined) plan.edits.push(editOf(entry.offset, line, spliced.line));
  }
  return plan;
}

function spliceAsIndexed(
  line: Uint8Array,
  entry: IndexEntry,
  wanted: ReadonlyMap<string, ConsumeOp>,
): Spliced | undefined {
  if (line.length !== entry.length) return undefined;
  const inPlace = callItemsIn(line).some(({ callId }) => hashOf(callId) === entry.hash);
  if (!inPlace) return undefined;
  try {
    return splice(line, wanted);
  } catch (error) {
    // Looks like a record and is no JSON: codex drops such a line, nobody sees what is in it.
    if (error instanceof SyntaxError || error instanceof TypeError) {
      return { found: new Set(), changed: new Set() };
    }
    throw error;
  }
}

/** What differs, as one change: from the first byte that does to the end of the line. */
function editOf(offset: number, before: Uint8Array, after: Uint8Array): Edit {
  let start = 0;
  while (before[start] === after[start]) start++;
  return {
    offset: offset + start,
    before: before.subarray(start),
    after: after.subarray(start),
    context: before.subarray(Math.max(0, start - CONTEXT_BYTES), start),
  };
}

/*
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
 * What a consumed call looks like afterwards is in the host's words (`docs/protocol.md`, "Consume"). The last
 * op decides: a light consume after a heavy one changes the marker of the output, the arguments
 * are gone and stay so.
 */

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

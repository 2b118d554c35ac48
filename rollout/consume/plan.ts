/**
 * From "consume these calls" to the bytes that change.
 *
 * @module
 */

import { hashOf, type IndexEntry } from "../state/index_file.ts";
import { callItemsIn } from "../records/items.ts";
import type { Edit } from "./journal.ts";
import type { RolloutFile } from "../rollout_file.ts";
import { readAt } from "../scan.ts";
import { type ConsumeOp, splice, type Spliced } from "./splice.ts";

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
 * Plans the changes on these lines. `undefined` when a line is not what the index said: the index must
 * be made anew.
 */
export function planEdits(
  rollout: RolloutFile,
  lines: readonly IndexEntry[],
  wanted: ReadonlyMap<string, ConsumeOp>,
): Plan | undefined {
  const plan: Plan = { edits: [], found: new Set(), changed: new Set() };
  const unique = new Map(lines.map((entry) => [entry.offset, entry]));
  for (const entry of [...unique.values()].sort((a, b) => a.offset - b.offset)) {
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

/** What differs, as one change: from the first byte that does to the last. */
function editOf(offset: number, before: Uint8Array, after: Uint8Array): Edit {
  let start = 0;
  while (before[start] === after[start]) start++;
  return {
    offset: offset + start,
    before: before.slice(start),
    after: after.slice(start),
    context: before.slice(Math.max(0, start - CONTEXT_BYTES), start),
  };
}

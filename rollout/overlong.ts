/**
 * A record too long to be loaded, told by its head.
 *
 * codex writes an output's `call_id` before the output, so the first bytes of a line of many megabytes
 * still say whose result it is. The host then learns that there is a result and how long it is.
 *
 * @module
 */

import { kindOf } from "./records/line_kind.ts";
import type { RolloutRecord } from "./records/records.ts";

const CALL_ID = /"call_id":("(?:[^"\\]|\\.)*")/;
const decoder = new TextDecoder();

/** What can be said of a line of `length` bytes of which only `head` was read. */
export function overlongRecord(head: Uint8Array, length: number): RolloutRecord {
  const id = kindOf(head) === "output" ? callIdIn(decoder.decode(head)) : undefined;
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

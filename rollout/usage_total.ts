/**
 * The thread's token total at the end of a rollout: the last `token_count` that carries figures.
 *
 * @module
 */
import { openOwnFile } from "../base/open_file.ts";
import { Slices } from "../base/slices.ts";
import { kindOf } from "./records/line_kind.ts";
import type { Usage } from "./records/events.ts";
import { decodeRecord } from "./records/records.ts";
import { scanLines } from "./scan.ts";

/** The last total recorded from byte `from` on (the start of a line), or `undefined`. */
export async function lastUsageTotal(path: string, from: number): Promise<Usage | undefined> {
  using rollout = openOwnFile(path);
  const slices = new Slices();
  let total: Usage | undefined;
  for (const line of scanLines(rollout.file, { from })) {
    if (slices.due) await slices.next();
    if (line.overlong || !["event", "unsure"].includes(kindOf(line.bytes))) continue;
    const record = decodeRecord(line.bytes);
    if (record.kind === "usage") total = record.total;
  }
  return total;
}

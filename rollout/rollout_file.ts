/**
 * One thread's rollout: opened with care, and what stands at its beginning and at its end.
 *
 * @module
 */

import { openOwnFile } from "../base/open_file.ts";
import { Slices } from "../base/timer.ts";
import type { Usage } from "./records/events.ts";
import { kindOf } from "./records/line_kind.ts";
import { decodeRecord, type SessionMetaRecord } from "./records/records.ts";
import { scanLines } from "./scan.ts";
import type { IndexedFile } from "./state/index_file.ts";

/** An open rollout. */
export interface RolloutFile extends IndexedFile, Disposable {
  path: string;
  file: Deno.FsFile;
}

/** codex writes its base instructions (about 20 kB) into the first line. */
const FIRST_LINE_MAX = 4 * 1024 * 1024;

/** Opens a rollout for reading. Throws where it is not a regular file of ours. */
export function openRollout(path: string, threadId: string): RolloutFile {
  const { file, info: { dev, ino } } = openOwnFile(path);
  return { path, threadId, file, dev, ino: ino ?? 0, [Symbol.dispose]: () => file.close() };
}

/** The `session_meta` that a rollout begins with, or why there is none. */
export function metaOf(file: Deno.FsFile): SessionMetaRecord | { kind: "none"; reason: string } {
  const none = (reason: string) => ({ kind: "none", reason }) as const;
  for (const line of scanLines(file, { maxLine: FIRST_LINE_MAX })) {
    if (line.overlong) return none(`its first line is longer than ${FIRST_LINE_MAX} bytes`);
    if (!line.terminated) return none("its first line is not complete");
    const meta = decodeRecord(line.bytes);
    return meta.kind === "session_meta"
      ? meta
      : none("its first line is not a session_meta record");
  }
  return none("it is empty");
}

/**
 * Whether codex 0.148 or later wrote the thread, with numbered records. An older codex resumes it, appends
 * records without numbers, and no newer one can ever resume it again.
 */
export function isPaginated(path: string): boolean {
  using rollout = openOwnFile(path);
  const meta = metaOf(rollout.file);
  return meta.kind === "session_meta" && meta.historyMode === "paginated";
}

/**
 * The thread's token total: the last `token_count` with figures from byte `from` on (the start of a line),
 * or `undefined`.
 */
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

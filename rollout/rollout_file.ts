/**
 * One thread's rollout: opened with care, what stands at its beginning and at its end, and codex's own
 * lock on it.
 *
 * @module
 */
import { join } from "@std/path";
import { openOwnFile, unlessMissing } from "../base/files.ts";
import { isLocked, lockWithin } from "../base/lock.ts";
import { pause, Slices } from "../base/timer.ts";
import type { Usage } from "./records/events.ts";
import { kindOf } from "./records/line_kind.ts";
import { decodeRecord, type SessionMetaRecord } from "./records/records.ts";
import { scanLines } from "./scan.ts";
import type { IndexedFile } from "./state/call_index.ts";

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

/** The same of the file at `path`. Throws where it is not a regular file of ours. */
export function metaAt(path: string): SessionMetaRecord | undefined {
  using rollout = openOwnFile(path);
  const meta = metaOf(rollout.file);
  return meta.kind === "session_meta" ? meta : undefined;
}

/**
 * Whether codex 0.148 or later wrote the thread, with numbered records. An older codex resumes it, appends
 * records without numbers, and no newer one can ever resume it again.
 */
export function isPaginated(path: string): boolean {
  return metaAt(path)?.historyMode === "paginated";
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

const IN_A_HOME = /^(.*)\/(?:archived_sessions|sessions(?:\/\d+){0,3})\/[^/]+$/s;

/**
 * The codex home that the rollout at `path` lies in; `given` where there is no path, or none that tells.
 *
 * A thread's locks count in that home. The one that a program is given now may be another: an agent's was
 * changed, or an operator's shell is without the `CODEX_HOME` of the host.
 */
export function homeOf(path: string | undefined, given: string): string {
  const home = IN_A_HOME.exec(path ?? "")?.[1];
  return home === "" ? "/" : home ?? given;
}

/*
 * codex's own lock on a thread, so that no record is changed under a codex that is writing.
 *
 * From 0.148 on, a codex that has a thread open holds `flock` on
 * `$CODEX_HOME/thread-writer-locks/<thread id>.lock` for as long as it lives. Taking and removing such a
 * lock is done under `.coordination.lock` in the same directory (seen with strace on 0.150.1 and 0.169.0):
 *
 * - coordination lock → open and try the thread's lock → coordination lock released;
 * - at the end: coordination lock → thread's lock released and its file removed.
 *
 * We do the same, and keep the coordination lock while a record changes: a codex that starts meanwhile
 * waits for it (measured on both versions: it starts normally when the lock is held for 1.5 s), whereas it
 * would fail at once on the thread's lock. Older versions have neither lock nor directory; for them only
 * our own turns are known, and an edit in place does no harm to what they append.
 *
 * Held or free is never told by how long a grant takes: under load a free lock is granted late.
 */

const DIRECTORY = "thread-writer-locks";
/** codex holds the coordination lock for microseconds. */
const COORDINATION_MS = 5000;
/** A free lock is granted at once; this is for a busy machine to come round to it. */
const GRANT_MS = 2000;
const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2000;

/**
 * Runs `work` while no codex writes the thread, and none can begin to. Resolves with `undefined`, without
 * running it, when a codex has the thread open. Rejects when the coordination lock is not to be had.
 *
 * @param codexHome that in which the thread's rollout lies, see {@link homeOf}; so for the functions below.
 */
export async function whileNoWriter<T>(
  codexHome: string,
  threadId: string,
  work: () => T | Promise<T>,
): Promise<{ result: T } | undefined> {
  const directory = join(codexHome, DIRECTORY);
  // Whatever else the system says is no proof that there are no locks.
  const info = unlessMissing(() => Deno.statSync(directory));
  if (!info?.isDirectory) return { result: await work() };
  const coordinationPath = join(directory, ".coordination.lock");
  using coordination = await lockWithin(coordinationPath, COORDINATION_MS);
  if (coordination === undefined) {
    throw new Error(
      `Cannot change thread ${threadId}: ${coordinationPath} was held by another process for ` +
        `${COORDINATION_MS} ms. Find out who holds it (fuser) and try again.`,
    );
  }
  const path = writerLockPath(codexHome, threadId);
  if (await isLocked(path)) return undefined;
  using writer = await lockWithin(path, GRANT_MS);
  if (writer === undefined) return undefined;
  try {
    return { result: await work() };
  } finally {
    Deno.removeSync(path); // as codex does, under the coordination lock
  }
}

/** Resolves when no codex has the thread open any more, or when `signal` aborts. */
export async function writerGone(
  codexHome: string,
  threadId: string,
  signal: AbortSignal,
): Promise<void> {
  const path = writerLockPath(codexHome, threadId);
  let pauseMs = FIRST_LOOK_MS;
  do {
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_LOOK_MS);
  } while (!signal.aborted && await isLocked(path));
}

/** Where a codex that has the thread open keeps its lock. */
export function writerLockPath(codexHome: string, threadId: string): string {
  return join(codexHome, DIRECTORY, `${threadId}.lock`);
}

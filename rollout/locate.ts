/**
 * Finds a thread's rollout below `CODEX_HOME`, and the newest one of all.
 *
 * codex names it `sessions/YYYY/MM/DD/rollout-<local time>-<thread id>.jsonl` and keeps it for the life of
 * the thread; older versions wrote flat into `sessions/`, archived threads lie flat in
 * `archived_sessions/`. The thread id is a UUID of version 7, so it carries the time of its creation:
 * that day and its neighbours are looked at first (the process that wrote it may have lived in another
 * time zone). Only a thread that is in none of these places costs a walk, newest day first.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { isThere, openOwnFile, UnusableFile, whyUnusable } from "../base/files.ts";
import { Slices } from "../base/timer.ts";
import { metaAt, metaOf } from "./rollout_file.ts";

/** Where a thread's rollout is, or why there is none to work with. */
export type Located =
  | { kind: "found"; path: string }
  /** codex has compressed it (`.jsonl.zst`); it cannot be read or changed here. */
  | { kind: "compressed"; path: string }
  /** Not there; `looked` names the directories that were searched. */
  | { kind: "missing"; looked: string[] }
  /**
   * A file of that name exists but is not to be trusted. Or nobody can tell, because the system failed: then
   * `cause` is what it said, and another time it may be found.
   */
  | { kind: "refused"; path: string; reason: string; cause?: Error };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether `id` is a UUID; codex silently starts a new thread for anything else. */
export function isThreadId(id: string): boolean {
  return UUID.test(id);
}

/** How far to look: the days around the id's own time hold any thread that was just born. */
export type Where = "everywhere" | "its days";

/**
 * Looks for the rollout of `threadId`: the `remembered` path, the name that a codex in our own time zone
 * gives it, the days around the id's own time, the flat directories, then every day. Others run between
 * two directories.
 *
 * @throws {TypeError} where the id is no UUID.
 */
export async function locateRollout(
  codexHome: string,
  threadId: string,
  remembered?: string,
  where: Where = "everywhere",
): Promise<Located> {
  const slices = new Slices();
  const looking = look(codexHome, threadId, remembered, where);
  for (;;) {
    const { done, value } = looking.next();
    if (done) return value;
    if (slices.due) await slices.next();
  }
}

/** The same in one piece, for a program that has nothing else to do meanwhile. */
export function locateRolloutSync(
  codexHome: string,
  threadId: string,
  remembered?: string,
): Located {
  const looking = look(codexHome, threadId, remembered, "everywhere");
  for (;;) {
    const { done, value } = looking.next();
    if (done) return value;
  }
}

/** Yields between two directories, where the caller may pause. */
function* look(
  codexHome: string,
  threadId: string,
  remembered: string | undefined,
  where: Where,
): Generator<void, Located> {
  if (!isThreadId(threadId)) {
    throw new TypeError(
      `Cannot locate a rollout: thread id ${JSON.stringify(threadId)} is not a UUID`,
    );
  }
  const known = remembered !== undefined && nameMatches(basename(remembered), threadId);
  for (const path of [...known ? [remembered] : [], ...likelyPaths(codexHome, threadId)]) {
    const found = isThere(path) ? inspectRollout(path, threadId) : undefined;
    if (found !== undefined && found.kind !== "missing") return found;
  }
  const looked = new Set<string>();
  let refused: Located | undefined;
  try {
    for (const directory of directories(codexHome, threadId, where)) {
      if (looked.has(directory)) continue;
      looked.add(directory);
      const found = search(directory, threadId);
      if (found?.kind === "refused") refused ??= found;
      else if (found !== undefined) return found;
      yield;
    }
  } catch (error) {
    return unread(codexHome, error);
  }
  return refused ?? { kind: "missing", looked: [...looked] };
}

function* directories(codexHome: string, threadId: string, where: Where): Generator<string> {
  yield* likelyDays(codexHome, threadId);
  if (where === "its days") return;
  const sessions = join(codexHome, "sessions");
  yield sessions;
  yield join(codexHome, "archived_sessions");
  const newestFirst = (directory: string) =>
    namesIn(directory).filter((name) => /^\d+$/.test(name)).sort().reverse()
      .map((name) => join(directory, name));
  for (const year of newestFirst(sessions)) {
    for (const month of newestFirst(year)) yield* newestFirst(month);
  }
}

/** A file is named a moment after its id was made. */
const NAMED_WITHIN_S = 2;

function likelyPaths(codexHome: string, threadId: string): string[] {
  return Array.from({ length: NAMED_WITHIN_S + 1 }, (_, seconds) => {
    const { year, month, day, time } = localTime(bornAt(threadId) + seconds * 1000);
    const name = `rollout-${year}-${month}-${day}T${time}-${threadId.toLowerCase()}.jsonl`;
    return join(codexHome, "sessions", year, month, day, name);
  });
}

/** The directories a thread of this id was most probably born in, the likeliest first. */
export function likelyDays(codexHome: string, threadId: string): string[] {
  return [0, -DAY_MS, DAY_MS].map((shift) => {
    const { year, month, day } = localTime(bornAt(threadId) + shift);
    return join(codexHome, "sessions", year, month, day);
  });
}

/** The time in a UUID of version 7, in milliseconds since 1970. */
function bornAt(threadId: string): number {
  return parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16);
}

function localTime(ms: number): { year: string; month: string; day: string; time: string } {
  const at = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return {
    year: String(at.getFullYear()),
    month: two(at.getMonth() + 1),
    day: two(at.getDate()),
    time: [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join("-"),
  };
}

/** Checks one file: ours, regular, and its first line is the `session_meta` of this thread. */
function inspectRollout(path: string, threadId: string): Located {
  try {
    const why = whyUnusable(Deno.lstatSync(path));
    if (why !== undefined) return { kind: "refused", path, reason: why };
    if (path.endsWith(".zst")) return { kind: "compressed", path };
    using rollout = openOwnFile(path);
    const reason = whyNotThisThread(rollout.file, threadId);
    return reason === undefined ? { kind: "found", path } : { kind: "refused", path, reason };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing", looked: [path] };
    if (error instanceof UnusableFile) return { kind: "refused", path, reason: String(error) };
    return unread(path, error);
  }
}

/** The system failed, be it for a moment. */
function unread(path: string, cause: unknown): Located {
  if (!(cause instanceof Error)) throw cause;
  return { kind: "refused", path, reason: String(cause), cause };
}

function whyNotThisThread(file: Deno.FsFile, threadId: string): string | undefined {
  const meta = metaOf(file);
  if (meta.kind === "none") return meta.reason;
  if (meta.threadId.toLowerCase() === threadId.toLowerCase()) return undefined;
  return `its session_meta names thread ${JSON.stringify(meta.threadId)}, not ${threadId}`;
}

function search(directory: string, threadId: string): Located | undefined {
  let refused: Located | undefined;
  for (const name of namesIn(directory)) {
    if (!nameMatches(name, threadId)) continue;
    const located = inspectRollout(join(directory, name), threadId);
    if (located.kind === "found" || located.kind === "compressed") return located;
    if (located.kind === "refused") refused ??= located;
  }
  return refused;
}

function nameMatches(name: string, threadId: string): boolean {
  const lower = name.toLowerCase();
  const id = threadId.toLowerCase();
  return lower.startsWith("rollout-") &&
    (lower.endsWith(`-${id}.jsonl`) || lower.endsWith(`-${id}.jsonl.zst`));
}

function namesIn(directory: string): string[] {
  if (!isThere(directory)) return [];
  try {
    return [...Deno.readDirSync(directory)].map((entry) => entry.name);
  } catch (error) {
    // Not a directory, or not ours to read: nothing of ours is in it.
    if (NOTHING_THERE.some((kind) => error instanceof kind)) return [];
    throw error;
  }
}

const { NotADirectory, NotFound, PermissionDenied } = Deno.errors;
const NOTHING_THERE = [NotADirectory, NotFound, PermissionDenied];

/**
 * How codex keeps its newest session: `paginated` (0.148 and later) or `legacy`; `undefined` where there
 * is none.
 */
export function newestHistoryMode(codexHome: string): string | undefined {
  let path = join(codexHome, "sessions");
  try {
    for (let depth = 0; depth < 4; depth++) {
      const newest = namesIn(path).filter((name) => /^\d+$|^rollout-.*\.jsonl$/.test(name)).sort()
        .at(-1);
      if (newest === undefined) return undefined;
      path = join(path, newest);
    }
    return metaAt(path)?.historyMode ?? "legacy";
  } catch {
    return "legacy";
  }
}

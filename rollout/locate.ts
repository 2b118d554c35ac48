/**
 * Finds a thread's rollout below `CODEX_HOME`.
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
import { decodeRecord } from "./records/records.ts";
import { whyNotOwnFile } from "./state/owner.ts";
import { scanLines } from "./scan.ts";

/** Where a thread's rollout is, or why there is none to work with. */
export type Located =
  | { kind: "found"; path: string }
  /** codex has compressed it (`.jsonl.zst`); it cannot be read or changed here. */
  | { kind: "compressed"; path: string }
  /** Not there; `looked` names the directories that were searched. */
  | { kind: "missing"; looked: string[] }
  /** A file of that name exists but is not to be trusted. */
  | { kind: "refused"; path: string; reason: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DAY_MS = 24 * 60 * 60 * 1000;
/** codex writes its base instructions (about 20 kB) into the first line. */
const FIRST_LINE_MAX = 4 * 1024 * 1024;

/** Whether `id` is a UUID; codex silently starts a new thread for anything else. */
export function isThreadId(id: string): boolean {
  return UUID.test(id);
}

/**
 * Looks for the rollout of `threadId`: the `remembered` path, the days around the id's own time, the
 * flat directories, then every day.
 */
export function locateRollout(codexHome: string, threadId: string, remembered?: string): Located {
  const near = locateNear(codexHome, threadId, remembered);
  if (near.kind !== "missing") return near;
  const looked = [...near.looked];
  const sessions = join(codexHome, "sessions");
  const flat = [sessions, join(codexHome, "archived_sessions")];
  return search(flat, threadId, looked) ?? search(days(sessions, looked), threadId, looked) ??
    { kind: "missing", looked };
}

/** The cheap part of `locateRollout`: the remembered path and the days around the id's own time. */
export function locateNear(codexHome: string, threadId: string, remembered?: string): Located {
  if (!isThreadId(threadId)) {
    throw new TypeError(
      `Cannot locate a rollout: thread id ${JSON.stringify(threadId)} is no UUID`,
    );
  }
  if (remembered !== undefined && nameMatches(basename(remembered), threadId)) {
    const found = inspectRollout(remembered, threadId);
    if (found.kind !== "missing") return found;
  }
  const looked: string[] = [];
  return search(likelyDays(codexHome, threadId), threadId, looked) ?? { kind: "missing", looked };
}

/** The directories a thread of this id was most probably born in, the likeliest first. */
export function likelyDays(codexHome: string, threadId: string): string[] {
  const born = parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16);
  return [0, -DAY_MS, DAY_MS].map((shift) => {
    const day = new Date(born + shift);
    const two = (n: number) => String(n).padStart(2, "0");
    return join(
      codexHome,
      "sessions",
      String(day.getFullYear()),
      two(day.getMonth() + 1),
      two(day.getDate()),
    );
  });
}

/** Checks one file: ours, regular, and its first line is the `session_meta` of this thread. */
export function inspectRollout(path: string, threadId: string): Located {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "missing", looked: [path] };
    return { kind: "refused", path, reason: String(error) };
  }
  const why = whyNotOwnFile(info);
  if (why !== undefined) return { kind: "refused", path, reason: why };
  if (path.endsWith(".zst")) return { kind: "compressed", path };
  const reason = whyNotThisThread(path, threadId);
  return reason === undefined ? { kind: "found", path } : { kind: "refused", path, reason };
}

function whyNotThisThread(path: string, threadId: string): string | undefined {
  using file = Deno.openSync(path, { read: true });
  for (const line of scanLines(file, { maxLine: FIRST_LINE_MAX })) {
    if (line.overlong) return `its first line is longer than ${FIRST_LINE_MAX} bytes`;
    if (!line.terminated) return "its first line is not complete";
    const meta = decodeRecord(line.bytes);
    if (meta.kind !== "session_meta") return "its first line is no session_meta";
    if (meta.threadId.toLowerCase() === threadId.toLowerCase()) return undefined;
    return `its session_meta names thread ${JSON.stringify(meta.threadId)}, not ${threadId}`;
  }
  return "it is empty";
}

function search(
  directories: Iterable<string>,
  threadId: string,
  looked: string[],
): Located | undefined {
  let refused: Located | undefined;
  for (const directory of directories) {
    looked.push(directory);
    for (const name of namesIn(directory)) {
      if (!nameMatches(name, threadId)) continue;
      const located = inspectRollout(join(directory, name), threadId);
      if (located.kind === "found" || located.kind === "compressed") return located;
      if (located.kind === "refused") refused ??= located;
    }
  }
  return refused;
}

function nameMatches(name: string, threadId: string): boolean {
  const lower = name.toLowerCase();
  const id = threadId.toLowerCase();
  return lower.startsWith("rollout-") &&
    (lower.endsWith(`-${id}.jsonl`) || lower.endsWith(`-${id}.jsonl.zst`));
}

/** Every `sessions/YYYY/MM/DD` that was not looked at yet, newest first. */
function* days(sessions: string, looked: readonly string[]): Generator<string> {
  const newestFirst = (directory: string) =>
    namesIn(directory).filter((name) => /^\d+$/.test(name)).sort().reverse()
      .map((name) => join(directory, name));
  for (const year of newestFirst(sessions)) {
    for (const month of newestFirst(year)) {
      for (const day of newestFirst(month)) if (!looked.includes(day)) yield day;
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map((entry) => entry.name);
  } catch {
    return []; // not there, or not readable: nothing of ours in it
  }
}

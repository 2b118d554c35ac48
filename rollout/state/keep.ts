/**
 * What stays in the state directory, so that it does not grow for ever.
 *
 * A thread stays as long as it can be used: its rollout and its workspace are there. What cannot be used
 * goes when nobody has touched it for a while: threads whose rollout or workspace is gone, files that were
 * set aside, consumes that never could be done. An index of calls goes then, too; the next consume makes
 * another. Age is a file's modification time, so a start reads only what is old.
 *
 * @module
 */

import { join } from "@std/path";
import { removeIfThere } from "../../base/files.ts";
import { Slices } from "../../base/timer.ts";
import { locateRollout } from "../locate.ts";
import { removeSessionFile, type StateStore, type StoredThread } from "./state.ts";

/** What was removed. */
export interface Tidied {
  /** Threads that are no longer remembered. */
  threads: number;
  /** Other files. */
  files: number;
}

/** When something is old. */
export interface KeepOptions {
  codexHome: string;
  /** What was touched later stays, whatever it is. */
  keepMs: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** Nobody writes a file for that long. */
const HOUR_MS = 60 * 60 * 1000;

/** Removes what is old and of no use. What cannot be removed is left to the next time. */
export async function tidy(store: StateStore, options: KeepOptions): Promise<Tidied> {
  const { codexHome, keepMs, now } = options;
  const tidied: Tidied = { threads: 0, files: 0 };
  sweepTemporaries(store, now);
  const slices = new Slices();
  // A codex home that is not there (not mounted, say) has lost nothing.
  const judged = touchedAt(join(codexHome, "sessions")) !== undefined;
  for (const { name } of Deno.readDirSync(store.dir)) {
    if (slices.due) await slices.next();
    const path = join(store.dir, name);
    if (now - (touchedAt(path) ?? now) < keepMs) continue;
    if (/^thread-.*\.json$/.test(name)) {
      const stored = judged ? store.read(path) : undefined;
      if (stored === undefined || await isUsable(stored, codexHome)) continue;
      await store.forget(stored.agentId, stored.workspace);
      tidied.threads++;
    } else if (/\.(?:calls|pending|journal|release|broken|refused)$/.test(name)) {
      if (/\.(?:pending|journal)$/.test(name)) {
        store.warn(`Gave up what was to be consumed: ${path}`);
      }
      if (removeIfThere(path)) tidied.files++;
    }
  }
  return tidied;
}

/** Removes files that a process was killed over before they were in place. */
export function sweepTemporaries(store: StateStore, now = Date.now()): void {
  for (const { name } of Deno.readDirSync(store.dir)) {
    const path = join(store.dir, name);
    if (/^\..+\.tmp$/.test(name) && now - (touchedAt(path) ?? now) > HOUR_MS) removeIfThere(path);
  }
}

/**
 * Removes the files of `directory` whose name fits and that are old, but for the newest one.
 * @returns how many
 */
export function removeOld(
  directory: string,
  pattern: RegExp,
  { keepMs, now }: Pick<KeepOptions, "keepMs" | "now">,
): number {
  const found = [...Deno.readDirSync(directory)].filter(({ name }) => pattern.test(name))
    .map(({ name }) => ({
      path: join(directory, name),
      at: touchedAt(join(directory, name)) ?? now,
    }))
    .sort((a, b) => b.at - a.at);
  return found.slice(1).filter(({ path, at }) => now - at >= keepMs && removeIfThere(path)).length;
}

/**
 * Forgets an agent's thread: the agent's next turn begins a new one. codex keeps its session file. Do not
 * call it while a turn runs on the thread.
 * @returns whether there was one.
 */
export async function forgetThread(
  store: StateStore,
  agentId: string,
  workspace: string,
): Promise<boolean> {
  const state = store.load(agentId, workspace);
  if (state === undefined) return false;
  const { threadId } = state;
  await removeSessionFile(workspace, threadId);
  await store.forget(agentId, workspace);
  const shared = store.list().some((stored) => stored.state.threadId === threadId);
  if (!shared) {
    await store.exclusive(() => {
      for (const kind of ["calls", "pending", "journal"] as const) {
        removeIfThere(store.threadFile(threadId, kind));
      }
      return Promise.resolve();
    });
  }
  return true;
}

async function isUsable({ workspace, state }: StoredThread, codexHome: string): Promise<boolean> {
  if (touchedAt(workspace) === undefined) return false;
  const located = await locateRollout(codexHome, state.threadId, state.rolloutPath);
  return located.kind === "found" || located.kind === "compressed";
}

function touchedAt(path: string): number | undefined {
  try {
    return Deno.lstatSync(path).mtime?.getTime();
  } catch {
    return undefined;
  }
}

/**
 * What stays in the state directory, so that it does not grow for ever.
 *
 * A thread stays as long as it can be used: its rollout and its workspace are there. What cannot be used
 * goes when nobody has touched it for a while: threads whose rollout or workspace is gone, files that were
 * set aside, consumes that never could be done and whose thread is gone. An index of calls goes then, too; the
 * next consume makes another. Age is a file's modification time, so a start reads only what is old.
 *
 * @module
 */

import { join } from "@std/path";
import { exists, removeIfThere } from "../../base/files.ts";
import { Slices } from "../../base/timer.ts";
import { type Located, locateRollout } from "../locate.ts";
import { homeOf } from "../rollout_file.ts";
import { removeSessionFile, type StateStore, type ThreadState } from "./state.ts";

/** What was removed. */
export interface Tidied {
  /** Threads that are no longer remembered. */
  threads: number;
  /** Other files. */
  files: number;
}

/** When something is old. */
export interface KeepOptions {
  /** Where codex keeps an agent's sessions. */
  codexHomeOf: (agentId: string) => string;
  /** What was touched later stays, whatever it is. */
  keepMs: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** Nobody writes a file for that long. */
const HOUR_MS = 60 * 60 * 1000;

/** Removes what is old and of no use. What cannot be removed is left to the next time. */
export async function tidy(store: StateStore, options: KeepOptions): Promise<Tidied> {
  const { codexHomeOf, keepMs, now } = options;
  const tidied: Tidied = { threads: 0, files: 0 };
  sweepTemporaries(store, now);
  const slices = new Slices();
  const files: string[] = [];
  for (const { name } of Deno.readDirSync(store.dir)) {
    if (slices.due) await slices.next();
    const path = join(store.dir, name);
    if (now - (touchedAt(path) ?? now) < keepMs) continue;
    if (/\.(?:calls|pending|journal|release|broken|refused)$/.test(name)) files.push(name);
    if (!/^thread-.*\.json$/.test(name)) continue;
    const stored = store.read(path);
    if (stored === undefined) continue;
    const { agentId, workspace, state } = stored;
    if (await whyLost(codexHomeOf(agentId), workspace, state) === undefined) continue;
    await store.forget(agentId, workspace);
    tidied.threads++;
  }
  let remembered: Set<string> | undefined;
  for (const name of files) {
    const path = join(store.dir, name);
    const [, promised] = /^(.+)\.(?:pending|journal)$/.exec(name) ?? [];
    if (promised !== undefined) {
      remembered ??= new Set(store.list().map(({ state }) => state.threadId));
      if (remembered.has(promised)) continue; // its next turn keeps the promise
      store.warn(`Gave up what was to be consumed: ${path}`);
    }
    if (removeIfThere(path)) tidied.files++;
  }
  return tidied;
}

/**
 * Why an agent's thread can never be gone on with; `undefined` where it can, or where nobody can tell now:
 * codex unpacks a compressed rollout, and one that is refused may be repaired.
 */
export async function whyLost(
  codexHome: string,
  workspace: string,
  thread: Pick<ThreadState, "threadId" | "rolloutPath">,
): Promise<string | undefined> {
  if (isGone(workspace)) return hasSessions(codexHome) ? "its workspace is gone" : undefined;
  const located = await findRollout(codexHome, thread);
  return located?.kind === "missing" ? `its session file is not below ${codexHome}` : undefined;
}

/**
 * Looks for a thread's rollout below `codexHome` and below the home in which it was last. `undefined` where
 * one of them is not there: a home that is not mounted, say, has lost nothing.
 */
export async function findRollout(
  codexHome: string,
  { threadId, rolloutPath }: Pick<ThreadState, "threadId" | "rolloutPath">,
): Promise<Located | undefined> {
  const homes = [...new Set([codexHome, homeOf(rolloutPath, codexHome)])];
  let located: Located | undefined;
  for (const home of homes) {
    located = await locateRollout(home, threadId, rolloutPath);
    if (located.kind !== "missing") return located;
  }
  return homes.every(hasSessions) ? located : undefined;
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
 * Forgets an agent's thread: the agent's next turn begins a new one. codex keeps its session file, and what
 * was to be consumed of it is still done as soon as it can be. Do not call it while a turn runs on the thread.
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
      removeIfThere(store.threadFile(threadId, "calls"));
      return Promise.resolve();
    });
  }
  return true;
}

/** Gives up what was to be consumed of a thread, and says so. For a thread whose rollout is lost. */
export async function giveUp(store: StateStore, threadId: string): Promise<void> {
  await store.exclusive(() => {
    for (const kind of ["pending", "journal"] as const) {
      const path = store.threadFile(threadId, kind);
      if (removeIfThere(path)) store.warn(`Gave up what was to be consumed: ${path}`);
    }
    return Promise.resolve();
  });
}

/**
 * Whether a codex home has lost the sessions of every thread that is remembered in it: as a rule the disk
 * that it lies on is not mounted.
 */
export function isEmptied(store: StateStore, codexHome: string): boolean {
  return isGone(join(codexHome, "sessions")) &&
    store.list().some(({ state }) => homeOf(state.rolloutPath, "") === codexHome);
}

/** Whether there surely is nothing: what may not be looked at may be there. */
function isGone(path: string): boolean {
  try {
    return !exists(path);
  } catch {
    return false;
  }
}

/** Whether codex's home is there and may be looked into. */
function hasSessions(codexHome: string): boolean {
  try {
    Deno.readDirSync(join(codexHome, "sessions"));
    return true;
  } catch {
    return false;
  }
}

function touchedAt(path: string): number | undefined {
  try {
    return Deno.lstatSync(path).mtime?.getTime();
  } catch {
    return undefined;
  }
}

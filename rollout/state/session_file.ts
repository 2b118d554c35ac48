/**
 * `<workspace>/.plexum-codex-session`: the thread id where the Go plugin kept it.
 *
 * It is still written, for people and for a way back. It is read once, as an import, when we have no
 * state of our own. The workspace belongs to the agent, so what stands there is only believed when it is
 * a UUID of a thread whose `session_meta` says that it was started in this very workspace; and writing
 * replaces a symbolic link there instead of following it.
 *
 * @module
 */

import { join } from "@std/path";
import { replaceText } from "../../base/durable.ts";
import { isThere } from "../../base/files.ts";
import { openOwnFile, readForeignFile } from "../../base/open_file.ts";
import { isThreadId, locateRollout } from "../locate.ts";
import { metaOf } from "../rollout_file.ts";

/** The file's name. */
export const SESSION_FILE = ".plexum-codex-session";

/** Nobody's thread id is longer. */
const MAX_BYTES = 256;

/** A thread that may be taken over from the session file. */
export interface ImportedThread {
  threadId: string;
  rolloutPath: string;
}

/** Writes the bare thread id. Throws where the workspace cannot be written. */
export function writeSessionFile(workspace: string, threadId: string): void {
  replaceText(join(workspace, SESSION_FILE), threadId);
}

/** The thread of an earlier plugin in this workspace, if it can be believed. */
export async function importSessionFile(
  workspace: string,
  codexHome: string,
): Promise<ImportedThread | undefined> {
  const threadId = await readSessionFile(join(workspace, SESSION_FILE));
  if (threadId === undefined || !isThreadId(threadId)) return undefined;
  const located = await locateRollout(codexHome, threadId);
  if (located.kind !== "found") return undefined;
  const started = startedIn(located.path);
  if (started === undefined || realPath(started) !== realPath(workspace)) return undefined;
  return { threadId, rolloutPath: located.path };
}

async function readSessionFile(path: string): Promise<string | undefined> {
  if (!isThere(path)) return undefined;
  try {
    const bytes = await readForeignFile(path, { maxBytes: MAX_BYTES });
    return new TextDecoder().decode(bytes).trim();
  } catch {
    return undefined; // there is none to believe
  }
}

function startedIn(rolloutPath: string): string | undefined {
  using rollout = openOwnFile(rolloutPath);
  const meta = metaOf(rollout.file);
  return meta.kind === "session_meta" ? meta.cwd : undefined;
}

/** Removes the session file where it names this thread, so that the thread is not taken over again. */
export async function removeSessionFile(workspace: string, threadId: string): Promise<void> {
  const path = join(workspace, SESSION_FILE);
  if (await readSessionFile(path) === threadId) Deno.removeSync(path);
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

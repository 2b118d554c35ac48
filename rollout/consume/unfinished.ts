/**
 * What an earlier process left in the state directory.
 *
 * @module
 */

import { join } from "@std/path";
import { readOwnFile } from "../../base/open_file.ts";
import { decodeJournal } from "./journal.ts";
import type { StateStore } from "../state/state.ts";
import { ThreadFiles, type ThreadPlace } from "./thread_files.ts";

/** Nobody writes a file for that long. */
const HOUR_MS = 60 * 60 * 1000;

/** The threads of which a consume was deferred or interrupted. */
export function threadsWithWork(store: StateStore): ThreadPlace[] {
  const names = [...Deno.readDirSync(store.dir)].map(({ name }) => name);
  const ids = new Set(names.flatMap((name) => /^(.+)\.(?:pending|journal)$/.exec(name)?.[1] ?? []));
  return [...ids].flatMap((threadId) => {
    const deferred = new ThreadFiles(store, { threadId, codexHome: "" }).pending;
    if (deferred !== undefined) return { threadId, ...deferred };
    try {
      const journal = decodeJournal(readOwnFile(store.threadFile(threadId, "journal")));
      return { threadId, codexHome: journal.codexHome, rolloutPath: journal.path };
    } catch (error) {
      store.warn(`Cannot read what was begun on thread ${threadId}: ${error}`);
      return [];
    }
  });
}

/** Removes files that a process was killed over before they were in place. */
export function sweepTemporaries(store: StateStore): void {
  for (const { name } of Deno.readDirSync(store.dir)) {
    if (!/^\..+\.tmp$/.test(name)) continue;
    const path = join(store.dir, name);
    try {
      const written = Deno.lstatSync(path).mtime?.getTime() ?? 0;
      if (Date.now() - written > HOUR_MS) Deno.removeSync(path);
    } catch {
      // Another process was faster.
    }
  }
}

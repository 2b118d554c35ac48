/**
 * A rollout that was checked while it was opened, so that a file put in its place meanwhile (by the agent,
 * say) is noticed.
 *
 * @module
 */

import { openOwnFile } from "../base/open_file.ts";
import type { IndexedFile } from "./state/index_file.ts";

/** An open rollout. */
export interface RolloutFile extends IndexedFile, Disposable {
  path: string;
  file: Deno.FsFile;
}

/** Opens a rollout for reading. Throws where it is not a regular file of ours. */
export function openRollout(path: string, threadId: string): RolloutFile {
  const opened = openOwnFile(path);
  const { file, info: { dev, ino } } = opened;
  return { path, threadId, file, dev, ino: ino ?? 0, [Symbol.dispose]: () => file.close() };
}

/**
 * A rollout that was checked while it was opened.
 *
 * The path is looked at, opened, and the open file compared with what was looked at, so that a file put
 * in its place meanwhile (by the agent, say) is noticed. Deno gives no dependable `O_NOFOLLOW`.
 *
 * @module
 */

import type { IndexedFile } from "./state/index_file.ts";
import { whyNotOwnFile } from "./state/owner.ts";

/** An open rollout. */
export interface RolloutFile extends IndexedFile, Disposable {
  path: string;
  file: Deno.FsFile;
}

/** Opens a rollout for reading. Throws where it is not a regular file of ours. */
export function openRollout(path: string, threadId: string): RolloutFile {
  const seen = Deno.lstatSync(path);
  const why = whyNotOwnFile(seen);
  if (why !== undefined) throw new Error(`Cannot use rollout ${path}: ${why}`);
  const file = Deno.openSync(path, { read: true });
  try {
    assertSame(path, seen, file.statSync());
  } catch (error) {
    file.close();
    throw error;
  }
  const { dev, ino } = seen;
  return { path, threadId, file, dev, ino: ino ?? 0, [Symbol.dispose]: () => file.close() };
}

/** Throws where an opened file is not the one that was expected at its path. */
export function assertSame(
  path: string,
  expected: { dev: number; ino: number | null },
  opened: { dev: number; ino: number | null },
): void {
  if (opened.dev === expected.dev && opened.ino === expected.ino) return;
  throw new Error(
    `Cannot use rollout ${path}: it was replaced (device ${opened.dev}, inode ${opened.ino} instead ` +
      `of device ${expected.dev}, inode ${expected.ino})`,
  );
}

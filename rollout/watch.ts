/**
 * Tells when something changes in a directory.
 *
 * Every `Deno.watchFs` costs an inotify instance and a thread, and Linux allows a user 128 instances by
 * default. Many turns write into the same day's directory, so all of them share one watcher per
 * directory, which closes with its last listener.
 *
 * @module
 */

/** Told the paths of one change. */
export type Listener = (paths: readonly string[]) => void;

interface Shared {
  watcher: Deno.FsWatcher;
  listeners: Set<Listener>;
}

const shared = new Map<string, Shared>();

/**
 * Calls `listener` with the paths of each change directly in `directory`, until the returned function is
 * called. Throws where the directory is missing or no watcher is to be had (inotify limit).
 */
export function watchDirectory(directory: string, listener: Listener): () => void {
  let entry = shared.get(directory);
  if (entry === undefined) {
    entry = { watcher: Deno.watchFs(directory, { recursive: false }), listeners: new Set() };
    shared.set(directory, entry);
    void deliver(directory, entry);
  }
  const { watcher, listeners } = entry;
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    shared.delete(directory);
    watcher.close();
  };
}

/** How many directories are watched now. */
export function watchedDirectories(): number {
  return shared.size;
}

async function deliver(directory: string, entry: Shared): Promise<void> {
  try {
    for await (const event of entry.watcher) {
      for (const listener of [...entry.listeners]) listener(event.paths);
    }
  } catch {
    // The listeners look for themselves every now and then; without events they are only later.
    if (shared.get(directory) === entry) shared.delete(directory);
  }
}

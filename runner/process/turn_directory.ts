/**
 * A turn's private directory: its temporary files (images, output schema) and whose turn it is, so
 * that the next start of the plugin can clear away what a killed one left (`turn_sweep.ts`).
 *
 * It lies in the plugin's state directory, which a sandboxed agent cannot write, and is removed with
 * the turn. Its name is the turn's mark.
 *
 * @module
 */
import { join } from "@std/path";
import { ownProcess, type ProcessRow, processRow } from "./process_table.ts";
import { newMark } from "./turn_mark.ts";

/** The file that says which plugin process the turn belongs to. Written before anything is started. */
export const PLUGIN_FILE = "plugin.json";
/** The file that says which process is the turn's codex. */
export const CODEX_FILE = "codex.json";

/** A directory that exists as long as its turn. */
export class TurnDirectory implements Disposable {
  private constructor(
    readonly path: string,
    /** Names the turn; every process of it carries it. */
    readonly mark: string,
  ) {}

  /** Makes a fresh one below `running`. */
  static async create(running: string): Promise<TurnDirectory> {
    const plugin = await ownProcess();
    const mark = newMark();
    const path = join(running, mark);
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    const directory = new TurnDirectory(path, mark);
    try {
      if (plugin !== undefined) directory.#record(PLUGIN_FILE, plugin);
      return directory;
    } catch (error) {
      removeTree(path);
      throw error;
    }
  }

  /** Writes a private file and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    const path = join(this.path, name);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes, { mode: 0o600, createNew: true });
    return path;
  }

  /** Records the turn's codex. Never rejects: without the record there only is less to go by. */
  async recordCodex(pid: number): Promise<void> {
    const codex = await processRow(pid);
    if (codex === undefined) return;
    try {
      this.#record(CODEX_FILE, codex);
    } catch {
      // The disk is full, say.
    }
  }

  #record(name: string, row: ProcessRow): void {
    this.write(name, JSON.stringify(row));
  }

  /** Removes the directory and all in it. */
  [Symbol.dispose](): void {
    removeTree(this.path);
  }
}

/** Removes a turn's directory; what cannot be removed now is swept at the next start. */
export function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Already gone, or not ours to remove.
  }
}

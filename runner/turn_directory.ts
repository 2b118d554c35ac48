/**
 * A turn's private directory: its temporary files (images, output schema) and a record of its
 * processes, so that the next start of the plugin can clear away what a killed one left.
 *
 * It lies in the plugin's state directory, which a sandboxed agent cannot write, and is removed with
 * the turn.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { familyOf, killFamily, type ProcessRow, processTable } from "./process_table.ts";

const Row = z.object({ pid: z.number(), ppid: z.number(), pgid: z.number(), start: z.string() });
const Owners = z.object({ plugin: Row, codex: z.optional(Row) });

/** A directory that exists as long as its turn. */
export class TurnDirectory implements Disposable {
  private constructor(
    readonly path: string,
    /** Names the turn; every process of it carries it in its environment. */
    readonly mark: string,
  ) {}

  /** Makes a fresh one below `running`. */
  static create(running: string): TurnDirectory {
    const mark = crypto.randomUUID();
    const path = join(running, mark);
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    return new TurnDirectory(path, mark);
  }

  /** Writes a private file and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    const path = join(this.path, name);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes, { mode: 0o600, createNew: true });
    return path;
  }

  /** Records which processes this turn belongs to. Costs one look at the process table. */
  async recordProcesses(codexPid: number): Promise<void> {
    const table = await processTable();
    const plugin = table.find(({ pid }) => pid === Deno.pid);
    const codex = table.find(({ pid }) => pid === codexPid);
    if (plugin === undefined) return;
    try {
      this.write("processes.json", JSON.stringify({ plugin, codex }));
    } catch {
      // The turn ended meanwhile, or the disk is full: there is less to clear away, or no way to say.
    }
  }

  /** Removes the directory and all in it. */
  [Symbol.dispose](): void {
    removeTree(this.path);
  }
}

/**
 * Ends what plugins that are gone left running, and removes their turns' directories. Turns of
 * living plugins are left alone. Costs nothing when there is nothing to clear.
 * @returns How many turns were cleared and which processes could not be ended.
 */
export async function sweepTurns(running: string): Promise<{ turns: number; survivors: number[] }> {
  const marks = directoriesIn(running);
  const swept = { turns: 0, survivors: [] as number[] };
  if (marks.length === 0) return swept;
  const table = await processTable();
  for (const mark of marks) {
    const path = join(running, mark);
    const owners = readOwners(join(path, "processes.json"));
    // Without a record the turn had just begun; a directory of the last minute may still be live.
    if (owners === undefined ? isYoung(path) : isAlive(owners.plugin, table)) continue;
    const codex = owners?.codex;
    const known = codex !== undefined && isAlive(codex, table)
      ? familyOf(codex.pid, table)
      : codex === undefined
      ? []
      : [codex];
    swept.survivors.push(...(await killFamily(known, mark)).map(({ pid }) => pid));
    removeTree(path);
    swept.turns++;
  }
  return swept;
}

function isAlive(row: ProcessRow, table: readonly ProcessRow[]): boolean {
  return table.some(({ pid, start }) => pid === row.pid && start === row.start);
}

function readOwners(path: string): z.infer<typeof Owners> | undefined {
  try {
    return z.parse(Owners, JSON.parse(Deno.readTextFileSync(path)));
  } catch {
    return undefined;
  }
}

function directoriesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function isYoung(path: string): boolean {
  const { mtime } = Deno.statSync(path);
  return mtime !== null && Date.now() - mtime.getTime() < 60_000;
}

function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Already gone, or swept at the next start.
  }
}

/**
 * Clears away the turns of plugins that were killed: ends what they left running, removes their
 * directories. Turns of living plugins are left alone.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { familyOf, isSame, killFamily } from "./process_family.ts";
import { type ProcessRow, processTable } from "./process_table.ts";
import { CODEX_FILE, PLUGIN_FILE, removeTree } from "./turn_directory.ts";

const Row = z.object({ pid: z.number(), ppid: z.number(), pgid: z.number(), start: z.string() });

/** A directory without a record is just being made, unless it is older than this. */
const YOUNG_MS = 60_000;

/** What a sweep came to. */
export interface Swept {
  turns: number;
  /** Processes that could not be ended. */
  survivors: number[];
}

/** Sweeps the directories below `running`. Costs nothing when there are none. */
export async function sweepTurns(running: string): Promise<Swept> {
  const swept: Swept = { turns: 0, survivors: [] };
  for (const { mark, family } of await staleTurns(running)) {
    swept.survivors.push(...(await killFamily(family, mark)).map(({ pid }) => pid));
    removeTree(join(running, mark));
    swept.turns++;
  }
  return swept;
}

/** A turn of a plugin that is gone. */
export interface StaleTurn {
  mark: string;
  /** What its codex left running, as far as the process table tells. */
  family: ProcessRow[];
}

/** The turns that a sweep would clear away; only looks. */
export async function staleTurns(running: string): Promise<StaleTurn[]> {
  const marks = directoriesIn(running);
  if (marks.length === 0) return [];
  const table = await processTable();
  // A system that does not tell what lives does not tell what is dead.
  if (table.length === 0) return [];
  const isAlive = (row: ProcessRow) => table.some((living) => isSame(row, living));
  return marks.flatMap((mark) => {
    const path = join(running, mark);
    const plugin = readRow(join(path, PLUGIN_FILE));
    if (plugin === undefined ? isYoung(path) : isAlive(plugin)) return [];
    const codex = readRow(join(path, CODEX_FILE));
    const family = codex !== undefined && isAlive(codex) ? familyOf(codex.pid, table) : [];
    return [{ mark, family }];
  });
}

function readRow(path: string): ProcessRow | undefined {
  try {
    return z.parse(Row, JSON.parse(Deno.readTextFileSync(path)));
  } catch {
    return undefined;
  }
}

/** Only what bears a mark's name: nothing else here is ours to remove. */
function directoriesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)]
      .filter(({ isDirectory, name }) =>
        isDirectory && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name)
      )
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function isYoung(path: string): boolean {
  try {
    const { mtime } = Deno.statSync(path);
    return mtime !== null && Date.now() - mtime.getTime() < YOUNG_MS;
  } catch {
    return true; // it has just been removed
  }
}

/**
 * Everything that a codex started, and how to end it all.
 *
 * Three nets, because each has a hole: the tree by parent id loses what was double-forked, a
 * snapshot taken earlier loses what was born later, the mark (`turn_mark.ts`) may be out of reach on
 * systems without `prlimit`. A process is identified by pid and start time; pids are reused.
 *
 * @module
 */
import { markedProcesses, type ProcessRow, processTable } from "./process_table.ts";

/** How often the remaining processes are killed and counted again before we give up. */
const ROUNDS = 40;
const BETWEEN_ROUNDS_MS = 20;

/** `root` and everything below it, and the rest of its process group. */
export function familyOf(root: number, table: readonly ProcessRow[]): ProcessRow[] {
  const family = new Map<number, ProcessRow>();
  let grown = true;
  while (grown) {
    grown = false;
    for (const row of table) {
      const belongs = row.pid === root || row.pgid === root || family.has(row.ppid);
      if (!belongs || family.has(row.pid)) continue;
      family.set(row.pid, row);
      grown = true;
    }
  }
  return [...family.values()];
}

/** Those of `table` that are in `known` or `marked`, and what descends from them. Never ourselves. */
export function livingFamily(
  known: readonly ProcessRow[],
  marked: ReadonlySet<number>,
  table: readonly ProcessRow[],
): ProcessRow[] {
  const roots = table.filter((row) => marked.has(row.pid) || known.some((one) => isSame(one, row)));
  const family = new Map(
    roots.flatMap(({ pid }) => familyOf(pid, table)).map((row) => [row.pid, row]),
  );
  family.delete(Deno.pid);
  return [...family.values()];
}

/** Whether both are the same process, and not two that had the same pid. */
export function isSame(a: ProcessRow, b: ProcessRow): boolean {
  return a.pid === b.pid && a.start === b.start;
}

/**
 * Kills the turn's processes until none is left: `known` (a snapshot that may be old), what descends
 * from them now, and what carries the mark. Returns what could not be ended.
 */
export async function killFamily(
  known: readonly ProcessRow[],
  mark: string,
): Promise<ProcessRow[]> {
  for (let round = 1;; round++) {
    const [table, marked] = await Promise.all([processTable(), markedProcesses(mark)]);
    const alive = livingFamily(known, marked, table);
    if (alive.length === 0 || round === ROUNDS) return alive;
    for (const { pid } of alive) sendSignal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_ROUNDS_MS));
  }
}

/** Sends a signal; a negative pid means the group. False when there is nobody to get it. */
export function sendSignal(pid: number, name: Deno.Signal): boolean {
  try {
    Deno.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

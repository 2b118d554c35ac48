import type { ProcessRow } from "../../runner/process/process_table.ts";

/** Rows of a made-up process table, from `[pid, ppid, pgid]`. */
export function processRows(rows: [pid: number, ppid: number, pgid: number][]): ProcessRow[] {
  return rows.map(([pid, ppid, pgid]) => ({
    pid,
    ppid,
    pgid,
    start: `started with ${pid}`,
    command: "",
  }));
}

/**
 * Looks at all processes of the machine, shared by all turns that want one.
 *
 * A look costs a program and some milliseconds. When many turns end at once (the host is gone, and
 * 150 codex with it), they must not each take their own: whoever asks while one is under way gets the
 * next, and all who wait get the same. So at most one is taken at a time, and none is older than its
 * question.
 *
 * @module
 */
import { type Look, type ProcessRow, readProcesses } from "./process_table.ts";

let current: Promise<unknown> = Promise.resolve();
/** The look that has not begun yet. */
let next: { marks: Set<string>; look: Promise<Look> } | undefined;

/** A look that begins after this call; it also finds who carries `mark`. Never rejects. */
export function look(mark?: string): Promise<Look> {
  const coming = next ??= begin();
  if (mark !== undefined) coming.marks.add(mark);
  return coming.look;
}

/** Every living process; empty where the system does not tell. */
export async function processTable(): Promise<readonly ProcessRow[]> {
  return (await look()).table;
}

/** Pids of living processes that carry the mark. */
export async function markedProcesses(mark: string): Promise<ReadonlySet<number>> {
  return (await look(mark)).marked.get(mark) ?? new Set();
}

function begin(): { marks: Set<string>; look: Promise<Look> } {
  const marks = new Set<string>();
  const look = current.then(() => {
    next = undefined;
    return readProcesses([...marks]);
  });
  current = look;
  return { marks, look };
}

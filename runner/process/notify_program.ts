/**
 * The user's `notify` program, which codex starts with its last word on a turn and does not wait for.
 *
 * @module
 */
import { pause } from "../../base/timer.ts";
import { pidsWithArgument, type ProcessRow, processRows } from "./process_table.ts";

/** How long it may go on after the turn, and how often it is looked at. */
const NOTIFY_MS = 2_000;
const NOTIFY_LOOK_MS = 50;
/** In its last argument (all versions from 0.135 to 0.171). */
const NOTIFIED = '"type":"agent-turn-complete"';

/** Gives it a moment to finish where it is among `rows`, unless `signal` aborts. */
export async function letNotifyFinish(
  rows: readonly ProcessRow[],
  signal?: AbortSignal,
): Promise<void> {
  let notifying = await pidsWithArgument(rows.map(({ pid }) => pid), NOTIFIED);
  const until = performance.now() + NOTIFY_MS;
  while (notifying.length > 0 && performance.now() < until && !signal?.aborted) {
    await pause(NOTIFY_LOOK_MS, signal);
    notifying = (await processRows(notifying)).map(({ pid }) => pid);
  }
}

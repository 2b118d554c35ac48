/**
 * One run of `codex exec`, from spawn to the last byte: its life and its end. What it says meanwhile
 * is `run_reader.ts`.
 *
 * The turn is over when codex says so (`turn.completed`, `turn.failed`), not when its process ends;
 * a process that lingers is ended. Whatever the end, nothing of the turn runs when this returns.
 *
 * @module
 */
import { CodexProcess } from "./codex_process.ts";
import type { RunPlan } from "./run_plan.ts";
import { RunReader } from "./run_reader.ts";
import type { RunResult, Stop } from "./run_result.ts";
import type { Emit } from "../turn_event.ts";
import { marksByLimit } from "../process/turn_mark.ts";
import { Watchdog } from "../watchdog.ts";
import { within } from "../../base/timer.ts";

/** How long codex may take to exit after its last word. It takes 20 to 150 ms. */
const LINGER_MS = 2_000;

/** Runs codex once. Throws only what {@link CodexProcess.start} throws, or what `emit` throws. */
export async function runCodex(
  plan: RunPlan,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunResult> {
  await using process = CodexProcess.start(plan.command);
  // Where the mark alone finds codex, asking for its start time is a process for nothing.
  const recorded = marksByLimit() ? undefined : plan.directory.recordCodex(process.pid);
  const stopped = Promise.withResolvers<Stop>();
  const cancel = () => stopped.resolve({ by: "cancel" });
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  using watchdog = new Watchdog(
    plan.limits,
    (watch, limitMs) => stopped.resolve({ by: "watchdog", watch, limitMs }),
  );
  const reader = new RunReader(plan, emit, watchdog, stopped.resolve);
  plan.onLive?.(reader);
  try {
    const reading = reader.readStdout(process.stdout());
    const over = Promise.race([reader.terminal, reading]).then(() => undefined);
    const stop = await Promise.race([stopped.promise, over]);
    // codex takes a while to exit: time to look for what it may leave behind, and to save.
    const relatives = stop === undefined && reader.isOver ? process.relatives() : undefined;
    if (relatives !== undefined) plan.onOver?.(reader.result());
    const lingered = stop === undefined && !await within(LINGER_MS, process.exited);
    const survivors = stop !== undefined || lingered
      ? await process.stop(plan.graceMs, reader)
      : await process.reap(await relatives);
    await reading;
    await reader.finish();
    const exit = await process.exited;
    return { ...reader.result(), exit, stop, lingered, stderr: process.stderr, survivors };
  } finally {
    signal.removeEventListener("abort", cancel);
    // An `emit` that threw leaves codex running.
    if (!await within(0, process.exited)) await process.stop(plan.graceMs);
    await reader.close();
    await recorded;
  }
}

/**
 * One run of `codex exec`, from spawn to the last byte: its life and its end. What it says meanwhile
 * is `run_reader.ts`.
 *
 * The turn is over when codex says so (`turn.completed`, `turn.failed`), not when its process ends;
 * a process that lingers is ended. Whatever the end, nothing of the turn runs when this returns.
 *
 * @module
 */
import { type CodexCommand, CodexProcess, type ExitStatus } from "./codex_process.ts";
import { RunReader } from "./run_reader.ts";
import type { TurnDirectory } from "./turn_directory.ts";
import type { Emit } from "./turn_event.ts";
import type { HostName, TurnOutput } from "./turn_output.ts";
import { type Watch, Watchdog, type WatchLimits } from "./watchdog.ts";
import { within } from "./within.ts";

/** How long codex may take to exit after its last word. It takes 20 to 150 ms. */
const LINGER_MS = 2_000;

/** What to run and how. */
export interface RunPlan {
  command: CodexCommand;
  codexHome: string;
  directory: TurnDirectory;
  limits: WatchLimits;
  graceMs: number;
  hostName: HostName;
  /** The thread to be resumed and where its rollout ends now. */
  resume?: { threadId: string; rolloutPath: string | undefined; from: number } | undefined;
  /** Whether codex got the host's tools, or there are none to get; asked when codex is ready. */
  hasHostTools(): boolean;
  /** Told as soon as codex announced its thread, before the `started` event goes out. */
  onThread(threadId: string): void;
  /** Told what was learned when codex has said its last word, while it is busy exiting. */
  onOver?(run: Learned): void;
  /** Told once codex runs: who can say which recorded call a tool request belongs to. */
  onLive?(run: CallIdentifier): void;
}

/** Finds the call id of a request that reached the host's tools. */
export interface CallIdentifier {
  /**
   * Tells everything recorded so far, so that the call is told before it is run, and returns its id:
   * `callId` where codex sent it, else the oldest recorded call of that name and those arguments
   * that nobody has claimed.
   */
  identify(
    call: { callId?: string; name: string; arguments: unknown },
  ): Promise<string | undefined>;
}

/** Why a run was ended by us. */
export type Stop =
  | { by: "cancel" }
  | { by: "watchdog"; watch: Watch; limitMs: number }
  /** codex began another thread than the one it was asked to resume. */
  | { by: "stray"; threadId: string }
  /** codex began the turn without the host's tools. */
  | { by: "toolless" };

/** What is known when codex is gone. */
export interface RunResult {
  threadId: string | undefined;
  /** Whether codex began the turn, so that the model has been told what it was to be told. */
  begun: boolean;
  output: TurnOutput;
  exit: ExitStatus;
  /** Set when we ended codex although it had not said its last word. */
  stop: Stop | undefined;
  /** codex had said its last word and did not go by itself. */
  lingered: boolean;
  stderr: string;
  /** Processes of the turn that could not be ended. */
  survivors: number[];
  /** The rollout as far as it was read; absent where none was found. */
  rollout: { path: string; offset: number } | undefined;
}

/** What is known of a run before its process has ended. */
export type Learned = Pick<RunResult, "threadId" | "begun" | "output" | "rollout">;

/** Runs codex once. Throws only what {@link CodexProcess.start} throws, or what `emit` throws. */
export async function runCodex(
  plan: RunPlan,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunResult> {
  await using process = CodexProcess.start(plan.command);
  const recorded = plan.directory.recordCodex(process.pid);
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

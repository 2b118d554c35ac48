/**
 * One run of `codex exec`, from spawn to the last byte: stdout and the rollout are read side by side
 * and told in one order, and the process is gone when this returns.
 *
 * Order: before anything of stdout is told, the rollout is drained, so a call is never told after
 * the text that followed it. The turn is over when codex says so (`turn.completed`, `turn.failed`),
 * not when its process ends; a process that lingers is ended.
 *
 * @module
 */
import { Follower } from "../rollout/follow.ts";
import { LineSplitter } from "../rollout/lines.ts";
import { isThreadId } from "../rollout/locate.ts";
import { type CodexCommand, CodexProcess, type ExitStatus, within } from "./codex_process.ts";
import { decodeExecLine, type ExecEvent } from "./exec_events.ts";
import type { TurnDirectory } from "./turn_directory.ts";
import type { Emit, TurnEvent } from "./turn_event.ts";
import { type HostName, TurnOutput } from "./turn_output.ts";
import { type Watch, Watchdog, type WatchLimits } from "./watchdog.ts";

/** Longest line of codex's stdout that is decoded. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** How long codex may take to exit after its last word. It takes 20 to 150 ms. */
const LINGER_MS = 2_000;
/** How long stdout may stay open after codex is gone: somebody else holds the pipe. */
const DRAIN_MS = 300;

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
  /** Told as soon as codex announced its thread, before the `started` event goes out. */
  onThread(threadId: string): void;
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
  | { by: "stray"; threadId: string };

/** What is known when codex is gone. */
export interface RunResult {
  threadId: string | undefined;
  output: TurnOutput;
  exit: ExitStatus;
  /** Set when we ended codex although it had not said its last word. */
  stop: Stop | undefined;
  /** codex had said its last word and did not go by itself. */
  lingered: boolean;
  stderr: string;
  survivors: number[];
  /** The rollout as far as it was read; absent where none was found. */
  rollout: { path: string; offset: number } | undefined;
}

/** Runs codex once. Throws only what {@link CodexProcess.start} throws, or what `emit` throws. */
export async function runCodex(
  plan: RunPlan,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunResult> {
  await using process = CodexProcess.start(plan.command);
  const recorded = plan.directory.recordProcesses(process.pid);
  const stopped = Promise.withResolvers<Stop>();
  const run = new Run(plan, emit, process, stopped.resolve);
  plan.onLive?.(run);
  const cancel = () => stopped.resolve({ by: "cancel" });
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  using watchdog = new Watchdog(
    plan.limits,
    (watch, limitMs) => stopped.resolve({ by: "watchdog", watch, limitMs }),
  );
  run.watchdog = watchdog;
  let stop: Stop | undefined;
  let lingered = false;
  let survivors: number[] = [];
  try {
    const reading = run.readStdout();
    const settled = reading.catch(() => {});
    process.exited.then(async () => {
      if (!await within(DRAIN_MS, settled)) await process.closeStdout();
    });
    stop = await Promise.race([
      stopped.promise,
      Promise.race([run.terminal, reading]).then(() => undefined),
    ]);
    lingered = stop === undefined && !await within(LINGER_MS, process.exited);
    if (stop !== undefined || lingered) survivors = await process.stop(plan.graceMs);
    await reading;
    const exit = await process.exited;
    await run.finish();
    return { ...run.result(), exit, stop, lingered, stderr: process.stderr, survivors };
  } finally {
    signal.removeEventListener("abort", cancel);
    // An `emit` that threw leaves codex running.
    if (!await within(0, process.exited)) await process.stop(plan.graceMs);
    run.close();
    await recorded;
  }
}

/** The reading side of a run: everything that is told passes through `#tell`, one at a time. */
class Run implements CallIdentifier {
  readonly output: TurnOutput;
  watchdog: Watchdog | undefined;
  readonly #plan: RunPlan;
  readonly #emit: Emit;
  readonly #process: CodexProcess;
  readonly #stop: (stop: Stop) => void;
  readonly #terminal = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  #threadId: string | undefined;
  #stray = false;
  #follower: Follower | undefined;
  #following: Promise<void> = Promise.resolve();
  #turn: Promise<void> = Promise.resolve();

  constructor(plan: RunPlan, emit: Emit, process: CodexProcess, stop: (stop: Stop) => void) {
    this.#plan = plan;
    this.#emit = emit;
    this.#process = process;
    this.#stop = stop;
    this.output = new TurnOutput(plan.hostName);
  }

  /** Resolves when codex has said its last word. */
  get terminal(): Promise<void> {
    return this.#terminal.promise;
  }

  /** Reads stdout to its end; after the last word only to keep codex from blocking. */
  async readStdout(): Promise<void> {
    const lines = new LineSplitter(MAX_LINE_BYTES);
    for await (const chunk of this.#process.stdout()) {
      for (const line of lines.push(chunk)) await this.#takeLine(line);
    }
    const rest = lines.end();
    if (rest !== undefined) await this.#takeLine(rest);
  }

  /** The last read of the rollout: what is unanswered now will stay so. */
  async finish(): Promise<void> {
    this.#ended.abort();
    await this.#following;
    await this.#alone(async () => {
      for (const followed of this.#follower?.finish() ?? []) {
        await this.#tell(this.output.follow(followed));
      }
    });
  }

  async identify(
    call: { callId?: string; name: string; arguments: unknown },
  ): Promise<string | undefined> {
    await this.#alone(() => this.#drain());
    return this.output.claim(call);
  }

  result(): Pick<RunResult, "threadId" | "output" | "rollout"> {
    const follower = this.#follower;
    return {
      threadId: this.#threadId,
      output: this.output,
      rollout: follower?.path === undefined
        ? undefined
        : { path: follower.path, offset: follower.offset },
    };
  }

  close(): void {
    this.#ended.abort();
    this.#follower?.close();
  }

  async #takeLine(
    line: { bytes: Uint8Array; overlong?: undefined } | { overlong: number },
  ): Promise<void> {
    const event: ExecEvent | undefined = line.overlong === undefined
      ? decodeExecLine(line.bytes)
      : { type: "broken", reason: `longer than ${MAX_LINE_BYTES} bytes (${line.overlong})` };
    if (event === undefined) return;
    if (event.type === "notice" && /^Reconnecting/.test(event.message)) {
      this.watchdog?.reconnecting();
    } else this.watchdog?.progress();
    await this.#alone(async () => {
      if (event.type === "thread_started") await this.#start(event.threadId);
      if (this.#threadId !== undefined) await this.#drain();
      // Of a thread that nobody asked for, nothing is told.
      if (!this.#stray) await this.#tell(this.output.take(event));
    });
    if (this.output.terminal !== undefined) this.#terminal.resolve();
  }

  async #start(threadId: string): Promise<void> {
    if (this.#threadId !== undefined) return;
    const { resume, codexHome } = this.#plan;
    if (!isThreadId(threadId) || (resume !== undefined && resume.threadId !== threadId)) {
      this.#stray = true;
      return this.#stop({ by: "stray", threadId });
    }
    this.#threadId = threadId;
    this.watchdog?.started();
    this.#plan.onThread(threadId);
    this.#follower = new Follower({
      codexHome,
      threadId,
      remembered: resume?.rolloutPath,
      from: resume?.from ?? 0,
    });
    this.#following = this.#follow(this.#follower);
    await this.#emit({ type: "started", threadId, resumed: resume !== undefined });
  }

  /** Tells what the rollout gains between two lines of stdout. */
  async #follow(follower: Follower): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await follower.changed(this.#ended.signal);
      await this.#alone(() => this.#drain());
    }
  }

  async #drain(): Promise<void> {
    for (const followed of this.#follower?.drain() ?? []) {
      this.watchdog?.sign();
      await this.#tell(this.output.follow(followed));
    }
    this.watchdog?.tools(this.output.openCalls.size > 0);
  }

  async #tell(events: TurnEvent[]): Promise<void> {
    for (const event of events) {
      this.watchdog?.pause(true);
      await this.#emit(event);
      this.watchdog?.pause(false);
    }
  }

  /** Runs `work` after everything that was asked before it. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

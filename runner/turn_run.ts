/**
 * One run of codex as the turn sees it: what codex says and what it records, told in one order.
 *
 * Before anything that codex said is told, the rollout is drained, so a call is never told after the
 * text that followed it. Everything that is told passes through one queue, at the pace of whoever
 * listens; codex is read no faster. Knows no transport.
 *
 * @module
 */
import { pause, startTimer } from "../base/timer.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import type { Followed } from "../rollout/follow.ts";
import { isThreadId } from "../rollout/locate.ts";
import { type Stop, Stopper, type Watchdog } from "./stop.ts";
import { compareGranted, type Granted, TurnRollout } from "./thread/turn_rollout.ts";
import type { TurnThread } from "./thread/turn_thread.ts";
import type { CodexEvent, RunInput, RunOutcome, Transport } from "./transport.ts";
import type { TurnEvent } from "./turn_event.ts";
import { type HostName, TurnOutput } from "./turn_output.ts";
import type { TurnStream } from "./turn_stream.ts";

/** What a run is made of. */
export interface RunOptions {
  transport: Transport;
  input: RunInput;
  thread: TurnThread;
  stream: TurnStream;
  watchdog: Watchdog;
  hostName: HostName;
}

/** What is known of a run, be it over or not. */
export interface RunProgress {
  /** The thread, once codex announced it and it is the right one. */
  threadId: string | undefined;
  /** Whether codex began the turn, so that the model has been told what it was to be told. */
  begun: boolean;
  output: TurnOutput;
  /** The rollout as far as it was read; absent where none was found. */
  rollout: { path: string; offset: number } | undefined;
}

/** What is known when nothing of the run is left. */
export interface RunResult extends RunProgress, RunOutcome {
  /** Set when codex was ended although it had not said its last word. */
  stop: Stop | undefined;
}

const WARNING = { level: "warning" };

/** How long a call that has begun may be without a record, and how often that is looked for. */
const RECORDED_MS = 2_000;
const BETWEEN_LOOKS_MS = 20;

/** Runs codex once. */
export class TurnRun {
  readonly #options: RunOptions;
  readonly #stopper: Stopper;
  readonly #output: TurnOutput;
  readonly #rollout = new TurnRollout();
  readonly #over = new AbortController();
  /** Aborts when a stopped turn has had its time to read on: as long as codex has for its end. */
  readonly #enough = new AbortController();
  #disarm = (): void => {};
  /** What of the difference between what was asked and what counts was told. */
  readonly #told = new Set<string>();
  #threadId: string | undefined;
  #begun = false;
  /** Why we ended it; decided when codex has said its last word. */
  #stop: Stop | undefined;
  #following: Promise<void> = Promise.resolve();
  #queue: Promise<void> = Promise.resolve();

  constructor(options: RunOptions, stopper: Stopper) {
    this.#options = options;
    this.#stopper = new Stopper(stopper);
    this.#output = new TurnOutput(options.hostName);
    const arm = (): void => {
      this.#disarm = startTimer(options.input.graceMs, () => this.#enough.abort());
    };
    if (this.#stopper.signal.aborted) arm();
    else this.#stopper.signal.addEventListener("abort", arm, { once: true });
  }

  /** Sees the run to its end. Throws only what telling throws; nothing of the run is left then, too. */
  async run(): Promise<RunResult> {
    const { transport, input } = this.#options;
    const { events, outcome } = transport.run(input, this.#stopper.signal);
    try {
      for await (const event of events) await this.#take(event);
      if (!this.#isOver) this.#stop = this.#stopper.why;
      const ended = await outcome;
      this.#over.abort();
      await this.#following;
      await this.#enqueue(() => this.#tellRecorded(this.#rollout.finish(this.#enough.signal)));
      await this.#tell(this.#output.finish());
      return { ...this.#progress(), ...ended, stop: this.#stop };
    } finally {
      this.#over.abort();
      await outcome;
      await this.#following.catch(() => {});
      await this.#queue;
      this.#rollout.close();
      this.#stopper[Symbol.dispose]();
      this.#disarm();
    }
  }

  /**
   * Tells everything recorded so far, so that the call is told before it is run, and returns its id:
   * `callId` where codex sent it (0.148 and later), else the oldest recorded call of that name and
   * those arguments that nobody has claimed. On a busy machine codex begins a call before its record is
   * written, so that is waited for; not where there will be none: a sub-agent's is in its own rollout, and
   * those of a script of code mode are not recorded.
   */
  async identify(
    call: Pick<HostToolCall, "callId" | "threadId" | "name" | "arguments">,
  ): Promise<string | undefined> {
    const until = performance.now() + RECORDED_MS;
    for (;;) {
      await this.#enqueue(() => this.#drain());
      const ours = this.#threadId;
      const isOther = ours !== undefined && (call.threadId ?? ours) !== ours;
      const id = isOther ? call.callId : this.#output.claim(call);
      const inVain = isOther || this.#output.runsScript || this.#rollout.isUnreadable ||
        this.#over.signal.aborted || this.#stopper.signal.aborted;
      if (id !== undefined || inVain || performance.now() >= until) return id;
      await pause(BETWEEN_LOOKS_MS, this.#stopper.signal);
    }
  }

  /** Whether codex has said its last word. */
  get #isOver(): boolean {
    return this.#output.terminal !== undefined;
  }

  /** Of a run that was told to stop for its thread or its tools nothing more is told. */
  get #disowned(): boolean {
    const by = this.#stopper.why?.by;
    return by === "stray" || by === "toolless";
  }

  #progress(): RunProgress {
    return {
      threadId: this.#threadId,
      begun: this.#begun,
      output: this.#output,
      rollout: this.#rollout.place,
    };
  }

  async #take(event: CodexEvent): Promise<void> {
    const { watchdog, thread } = this.#options;
    if (event.type === "turn_started") this.#begun = true;
    if (event.type === "notice" && event.reconnecting) watchdog.reconnecting();
    else watchdog.progress();
    await this.#enqueue(async () => {
      if (event.type === "thread_started") await this.#start(event.threadId);
      await this.#drain();
      if (this.#disowned || this.#isOver) return;
      this.#stop = this.#stopper.why;
      await this.#tell(this.#output.take(event));
      // codex takes a while to exit: time to save.
      if (this.#isOver && this.#stop === undefined) thread.remember(this.#progress());
    });
  }

  async #start(threadId: string): Promise<void> {
    if (this.#threadId !== undefined || this.#disowned) return;
    const { thread, watchdog, stream, input } = this.#options;
    const { resumed } = thread;
    if (!isThreadId(threadId) || (resumed !== undefined && resumed.threadId !== threadId)) {
      return this.#stopper.stop({ by: "stray", threadId });
    }
    if (!input.hasHostTools()) return this.#stopper.stop({ by: "toolless" });
    this.#threadId = threadId;
    watchdog.started();
    await thread.announced(threadId);
    await this.#paced(stream.start(threadId, resumed !== undefined));
    const { rolloutPath: located, from = 0 } = resumed ?? {};
    this.#rollout.open({ codexHome: input.codexHome, threadId, located, from });
    this.#following = this.#follow();
    this.#following.catch(() => this.#stopper.stop({ by: "cancel" }));
  }

  /** Tells what the rollout gains between two words of codex. */
  async #follow(): Promise<void> {
    const enough = this.#enough.signal;
    while (await this.#rollout.changed(this.#over.signal) && !enough.aborted) {
      await this.#enqueue(() => this.#drain());
    }
  }

  #drain(): Promise<void> {
    return this.#tellRecorded(this.#rollout.read(this.#enough.signal));
  }

  async #tellRecorded(records: AsyncIterable<Followed>): Promise<void> {
    const { watchdog } = this.#options;
    for await (const record of records) {
      if (record.type === "error") watchdog.sign();
      else watchdog.progress();
      if (record.type === "turn_context") await this.#compare(record);
      await this.#tell(this.#output.follow(record));
    }
    watchdog.tools(this.#output.openCalls.size > 0);
    const trouble = this.#rollout.takeTrouble();
    if (trouble === undefined) return;
    const message = `the session file cannot be read: ${trouble}`;
    await this.#tell([{ type: "status", message, data: WARNING }]);
  }

  /** Ends a turn in which the agent may do more than was asked for, before it does. */
  async #compare(granted: Granted): Promise<void> {
    const { more, other } = compareGranted(this.#options.input, granted);
    const news = other.filter((message) => !this.#told.has(message));
    await this.#tell(news.map((message) => ({ type: "status", message, data: WARNING })));
    for (const message of news) this.#told.add(message);
    if (more === undefined) return;
    this.#stopper.stop({ by: "too_free", what: more });
    this.#stop = this.#stopper.why;
  }

  async #tell(events: TurnEvent[]): Promise<void> {
    for (const event of events) await this.#paced(this.#options.stream.emit(event));
  }

  /** Waits for the host, whose silence is not codex's. */
  async #paced(telling: Promise<void>): Promise<void> {
    const { watchdog } = this.#options;
    watchdog.pause(true);
    await telling;
    watchdog.pause(false);
  }

  /** Runs `work` after everything that was asked before it. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

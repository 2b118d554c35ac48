/**
 * The reading side of a run: codex's stdout and its rollout, told in one order.
 *
 * Before anything of stdout is told, the rollout is drained, so a call is never told after the text
 * that followed it. Everything that is told passes through one queue, at the pace of whoever listens.
 *
 * @module
 */
import type { Followed } from "../../rollout/follow.ts";
import { type Line, LineSplitter } from "../../base/lines.ts";
import { isThreadId } from "../../rollout/locate.ts";
import type { Beginning } from "./codex_process.ts";
import { decodeExecLine, type ExecEvent } from "./exec_events.ts";
import type { CallIdentifier, RunPlan } from "./run_plan.ts";
import type { Learned, Stop } from "./run_result.ts";
import type { Emit, TurnEvent } from "../turn_event.ts";
import { TurnOutput } from "../turn_output.ts";
import { TurnRollout } from "../turn_rollout.ts";
import type { Watchdog } from "../watchdog.ts";

/** Longest line of codex's stdout that is decoded. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** What of a plan concerns reading. */
export type ReadingPlan = Pick<
  RunPlan,
  "codexHome" | "hostName" | "resume" | "hasHostTools" | "onThread"
>;

/** Reads one run. */
export class RunReader implements CallIdentifier, Beginning {
  readonly output: TurnOutput;
  hasBegun = false;
  readonly #plan: ReadingPlan;
  readonly #emit: Emit;
  readonly #watchdog: Watchdog;
  readonly #stop: (stop: Stop) => void;
  readonly #terminal = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  readonly #rollout = new TurnRollout();
  #threadId: string | undefined;
  #disowned = false;
  #following: Promise<void> = Promise.resolve();
  #queue: Promise<void> = Promise.resolve();

  constructor(plan: ReadingPlan, emit: Emit, watchdog: Watchdog, stop: (stop: Stop) => void) {
    this.#plan = plan;
    this.#emit = emit;
    this.#watchdog = watchdog;
    this.#stop = stop;
    this.output = new TurnOutput(plan.hostName);
    this.#terminal.promise.catch(() => {}); // nobody may be waiting any more
  }

  /** Resolves when codex has said its last word; rejects when telling failed in between. */
  get terminal(): Promise<void> {
    return this.#terminal.promise;
  }

  get interruptible(): Promise<void> {
    const starting = this.#threadId !== undefined || this.#disowned;
    return starting ? this.begun : Promise.resolve();
  }

  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Whether codex has said its last word. */
  get isOver(): boolean {
    return this.output.terminal !== undefined;
  }

  /** Reads stdout to its end; after the last word only to keep codex from blocking. */
  async readStdout(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = new LineSplitter(MAX_LINE_BYTES);
    for await (const chunk of chunks) {
      for (const line of lines.push(chunk)) await this.#takeLine(line);
    }
    const rest = lines.end();
    if (rest !== undefined) await this.#takeLine(rest);
  }

  /** The last read of the rollout: what is unanswered now will stay so. */
  async finish(): Promise<void> {
    this.#ended.abort();
    await this.#following;
    await this.#alone(() => this.#tellRecorded(this.#rollout.finish()));
  }

  async identify(
    call: { callId?: string; name: string; arguments: unknown },
  ): Promise<string | undefined> {
    await this.#alone(() => this.#drain());
    return this.output.claim(call);
  }

  /** What was learned, for the {@link RunResult}. */
  result(): Learned {
    return {
      threadId: this.#threadId,
      begun: this.hasBegun,
      output: this.output,
      rollout: this.#rollout.place,
    };
  }

  /** Stops reading the rollout; nothing is told any more. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#following;
    await this.#queue;
    this.#rollout.close();
  }

  async #takeLine(line: Line): Promise<void> {
    const event: ExecEvent | undefined = line.overlong === undefined
      ? decodeExecLine(line.bytes)
      : { type: "broken", reason: `longer than ${MAX_LINE_BYTES} bytes (${line.overlong})` };
    if (event === undefined) return;
    if (event.type === "turn_started") this.#begin();
    if (reconnects(event)) this.#watchdog.reconnecting();
    else this.#watchdog.progress();
    await this.#alone(async () => {
      if (event.type === "thread_started") await this.#start(event.threadId);
      await this.#drain();
      if (!this.#disowned) await this.#tell(this.output.take(event));
    });
    if (this.isOver) this.#terminal.resolve();
  }

  async #start(threadId: string): Promise<void> {
    if (this.#threadId !== undefined || this.#disowned) return;
    const { resume, codexHome } = this.#plan;
    if (!isThreadId(threadId) || (resume !== undefined && resume.threadId !== threadId)) {
      return this.#disown({ by: "stray", threadId });
    }
    if (!this.#plan.hasHostTools()) return this.#disown({ by: "toolless" });
    this.#threadId = threadId;
    this.#watchdog.started();
    this.#plan.onThread(threadId);
    await this.#tell([{ type: "started", threadId, resumed: resume !== undefined }]);
    const { rolloutPath: remembered, from = 0 } = resume ?? {};
    this.#rollout.open({ codexHome, threadId, remembered, from });
    this.#following = this.#follow();
  }

  #begin(): void {
    this.hasBegun = true;
    this.#begun.resolve();
  }

  /** Of this run nothing is told. */
  #disown(stop: Stop): void {
    this.#disowned = true;
    this.#stop(stop);
  }

  /** Tells what the rollout gains between two lines of stdout. Never rejects. */
  async #follow(): Promise<void> {
    try {
      while (await this.#rollout.changed(this.#ended.signal)) {
        await this.#alone(() => this.#drain());
      }
    } catch (error) {
      this.#terminal.reject(error);
    }
  }

  #drain(): Promise<void> {
    return this.#tellRecorded(this.#rollout.read());
  }

  async #tellRecorded(records: AsyncIterable<Followed>): Promise<void> {
    for await (const record of records) {
      if (record.type === "error") this.#watchdog.sign();
      else this.#watchdog.progress();
      await this.#tell(this.output.follow(record));
    }
    this.#watchdog.tools(this.output.openCalls.size > 0);
    const trouble = this.#rollout.takeTrouble();
    if (trouble === undefined) return;
    const message = `the session file cannot be read: ${trouble}`;
    await this.#tell([{ type: "status", message, data: { level: "warning" } }]);
  }

  async #tell(events: TurnEvent[]): Promise<void> {
    for (const event of events) {
      this.#watchdog.pause(true);
      await this.#emit(event);
      this.#watchdog.pause(false);
    }
  }

  /** Runs `work` after everything that was asked before it. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/**
 * "Reconnecting... waiting for network (…)" and "Reconnecting... 2/5 (…)"; the first of a numbered
 * series follows on a connection that stood.
 */
function reconnects(event: ExecEvent): boolean {
  return event.type === "notice" && /^Reconnecting\.\.\. (?!1\/)/.test(event.message);
}

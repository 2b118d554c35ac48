/**
 * One running codex: started in a session and a process group of its own, fed its prompt, and ended
 * without leaving anything of its tree alive.
 *
 * @module
 */
import { ChildOutput } from "../../base/child_output.ts";
import { familyOf, killFamily, sendSignal } from "../process/process_family.ts";
import { markedProcesses, processTable } from "../process/process_look.ts";
import { processRows } from "../process/process_table.ts";
import { startFailure } from "./start_failure.ts";
import { Tail } from "../../base/tail.ts";
import { markedCommand, TURN_MARK } from "../process/turn_mark.ts";
import type { Variables } from "../../base/variables.ts";
import { within } from "../../base/timer.ts";

/** What to start. */
export interface CodexCommand {
  path: string;
  args: string[];
  env: Variables;
  cwd: string;
  /** Written to stdin, which is then closed. */
  prompt: string;
  /** Put on every process of the turn, so that it can be found again. */
  mark: string;
}

/** How a process ended. */
export interface ExitStatus {
  code: number;
  signal: string | undefined;
}

/**
 * How far codex is with beginning its turn. Between `thread.started` and `turn.started` it swallows a
 * SIGINT, and every later one too (seen on 0.135, 0.150 and 0.169); an earlier one ends it at once.
 */
export interface Beginning {
  /** Resolves when a SIGINT is heard. */
  readonly interruptible: Promise<void>;
  readonly hasBegun: boolean;
  /** Resolves when codex began its turn. */
  readonly begun: Promise<void>;
}

/** How long a stop waits for the turn to begin, which takes 30 to 100 ms. */
const BEGIN_MS = 500;
/** How long an interrupted codex may go on after it began a turn: it ends in 30 to 130 ms. */
const HEARD_MS = 500;
/** Kept of stderr: its end. */
const STDERR_TAIL_BYTES = 16 * 1024;

/** A codex process and its family. */
export class CodexProcess implements AsyncDisposable {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ExitStatus>;
  readonly #mark: string;
  readonly #stderr = new Tail(STDERR_TAIL_BYTES);
  readonly #stdin: Promise<void>;
  readonly #stderrPipe: ChildOutput;
  readonly #stderrRead: Promise<void>;
  readonly #stdout: ChildOutput;
  #gone = false;

  private constructor(child: Deno.ChildProcess, { prompt, mark }: CodexCommand) {
    this.#mark = mark;
    this.pid = child.pid;
    this.exited = child.status.then(({ code, signal }) => {
      this.#gone = true;
      this.#stdout.childGone();
      return { code, signal: signal ?? undefined };
    });
    this.#stdin = feed(child.stdin, prompt);
    this.#stderrPipe = new ChildOutput(child.stderr);
    this.#stderrRead = this.#readStderr();
    this.#stdout = new ChildOutput(child.stdout);
  }

  /**
   * Starts codex.
   * @throws {TurnError} when the operating system refuses: `codex_missing` for a file that cannot be
   * run, `invalid_request` for a workspace that is not there.
   */
  static start(command: CodexCommand): CodexProcess {
    const { path, args, detached } = markedCommand(command.path, command.args, command.mark);
    try {
      const child = new Deno.Command(path, {
        args,
        cwd: command.cwd,
        env: { ...command.env, [TURN_MARK]: command.mark },
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        detached,
      }).spawn();
      return new CodexProcess(child, command);
    } catch (error) {
      throw startFailure(error, command.path, command.cwd);
    }
  }

  /** The end of what codex wrote to stderr so far, at most 16 KiB. */
  get stderr(): string {
    return this.#stderr.text();
  }

  /** Chunks of stdout, see {@link ChildOutput.chunks}. */
  stdout(): AsyncGenerator<Uint8Array> {
    return this.#stdout.chunks();
  }

  /**
   * Asks codex to stop (SIGINT to its group), gives it `graceMs`, then kills whatever is left of its
   * family. Returns when nothing of it runs any more, or what is left cannot be killed.
   * @returns The pids that survived SIGKILL; always empty on a healthy machine.
   */
  async stop(graceMs: number, turn?: Beginning): Promise<number[]> {
    if (this.#gone) return await this.reap();
    // Taken first: once codex is gone, its children belong to init.
    const family = familyOf(this.pid, await processTable());
    if (turn !== undefined) await within(BEGIN_MS, this.#orGone(turn.interruptible));
    // A turn that begins after the signal has swallowed it, or was about to be read as begun.
    const swallowed = turn?.hasBegun === false
      ? turn.begun.then(() => within(HEARD_MS, this.exited))
      : this.exited;
    this.#signal("SIGINT");
    await within(graceMs, this.#orGone(swallowed));
    if (!this.#gone) this.#signal("SIGKILL");
    const survivors = await killFamily(family, this.#mark);
    return survivors.map(({ pid }) => pid);
  }

  /** To the whole group, or to the one process that has not made it yet. */
  #signal(name: Deno.Signal): void {
    if (!sendSignal(-this.pid, name)) sendSignal(this.pid, name);
  }

  #orGone(event: Promise<unknown>): Promise<unknown> {
    return Promise.race([event, this.exited]);
  }

  /** Pids of the turn's other processes now. Costs one look at all of `/proc`. */
  async relatives(): Promise<number[]> {
    const marked = await markedProcesses(this.#mark);
    return [...marked].filter((pid) => pid !== this.pid);
  }

  /**
   * Ends what a codex that is gone left running.
   * @param relatives Those that lived when codex had said its last word, if that is known; it
   * starts no more then.
   * @returns The pids that could not be ended.
   */
  async reap(relatives?: readonly number[]): Promise<number[]> {
    const left = await processRows(relatives ?? await this.relatives());
    if (left.length === 0) return [];
    // By mark alone: a pid of before may be somebody else's by now.
    const survivors = await killFamily([], this.#mark);
    return survivors.map(({ pid }) => pid);
  }

  /** Lets go of every pipe. The process must have been stopped, or have exited. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.exited;
    await Promise.all([this.#stdout.close(), this.#stderrPipe.close()]);
    await Promise.all([this.#stdin, this.#stderrRead]);
  }

  async #readStderr(): Promise<void> {
    try {
      for await (const chunk of this.#stderrPipe.chunks()) this.#stderr.push(chunk);
    } catch {
      // A broken pipe ends stderr like its end.
    }
  }
}

async function feed(stdin: WritableStream<Uint8Array>, prompt: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(prompt));
    await writer.close();
  } catch {
    // A codex that ends before it read its prompt says why on stderr or by its exit code.
    await writer.abort().catch(() => {});
  }
}

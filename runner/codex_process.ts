/**
 * One running codex: started detached (its own process group), fed its prompt, and ended without
 * leaving anything of its tree alive.
 *
 * @module
 */
import type { Variables } from "./codex_binary.ts";
import { familyOf, killFamily, sendSignal } from "./process_family.ts";
import { markedProcesses, processRows, processTable } from "./process_table.ts";
import { startFailure } from "./start_failure.ts";
import { Tail } from "./tail.ts";
import { markedCommand, TURN_MARK } from "./turn_mark.ts";
import { within } from "./within.ts";

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

/** Kept of stderr: its end. */
const STDERR_TAIL_BYTES = 16 * 1024;
/** As much as a pipe holds: a read never returns more. */
const READ_BYTES = 64 * 1024;
/** How long stdout may stay open and silent after codex is gone: somebody else holds the pipe. */
const PIPE_HELD_MS = 300;

/** A codex process and its family. */
export class CodexProcess implements AsyncDisposable {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ExitStatus>;
  readonly #mark: string;
  readonly #stderr = new Tail(STDERR_TAIL_BYTES);
  readonly #stdin: Promise<void>;
  readonly #stderrRead: Promise<void>;
  readonly #stderrReader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stdoutReader: ReadableStreamBYOBReader;
  /** The read of stdout that is waiting now. */
  #reading: Promise<unknown> | undefined;
  #gone = false;

  private constructor(child: Deno.ChildProcess, { prompt, mark }: CodexCommand) {
    this.#mark = mark;
    this.pid = child.pid;
    this.exited = child.status.then(({ code, signal }) => {
      this.#gone = true;
      void this.#endHeldPipe();
      return { code, signal: signal ?? undefined };
    });
    this.#stdin = feed(child.stdin, prompt);
    this.#stderrReader = child.stderr.getReader();
    this.#stderrRead = this.#readStderr();
    this.#stdoutReader = child.stdout.getReader({ mode: "byob" });
  }

  /**
   * Starts codex.
   * @throws {TurnError} when the operating system refuses: `codex_missing` for a file that cannot be
   * run, `invalid_request` for a workspace that is not there.
   */
  static start(command: CodexCommand): CodexProcess {
    const { path, args } = markedCommand(command.path, command.args, command.mark);
    try {
      const child = new Deno.Command(path, {
        args,
        cwd: command.cwd,
        env: { ...command.env, [TURN_MARK]: command.mark },
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        detached: true,
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

  /**
   * Chunks of stdout until it ends; a chunk is valid until the next one is asked for. Nothing is
   * read ahead: a slow consumer fills codex's pipe, and codex waits.
   */
  async *stdout(): AsyncGenerator<Uint8Array> {
    let buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const reading = this.#stdoutReader.read(buffer);
      this.#reading = reading;
      if (this.#gone) void this.#endHeldPipe();
      const { value, done } = await reading;
      this.#reading = undefined;
      if (done) return;
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
  }

  /**
   * Asks codex to stop (SIGINT to its group), gives it `graceMs`, then kills whatever is left of its
   * family. Returns when nothing of it runs any more, or what is left cannot be killed.
   * @returns The pids that survived SIGKILL; always empty on a healthy machine.
   */
  async stop(graceMs: number): Promise<number[]> {
    if (this.#gone) return await this.reap();
    // Taken first: once codex is gone, its children belong to init.
    const family = familyOf(this.pid, await processTable());
    sendSignal(-this.pid, "SIGINT");
    if (!await within(graceMs, this.exited)) sendSignal(-this.pid, "SIGKILL");
    const survivors = await killFamily(family, this.#mark);
    return survivors.map(({ pid }) => pid);
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
    const survivors = await killFamily(left, this.#mark);
    return survivors.map(({ pid }) => pid);
  }

  /** Lets go of every pipe. The process must have been stopped, or have exited. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.exited;
    const readers = [this.#stdoutReader, this.#stderrReader];
    await Promise.all(readers.map((reader) => reader.cancel().catch(() => {})));
    await Promise.all([this.#stdin, this.#stderrRead]);
  }

  /** A read that waits although codex is gone waits for a stranger: it is given up after a while. */
  async #endHeldPipe(): Promise<void> {
    const reading = this.#reading;
    if (reading === undefined) return;
    const settled = reading.catch(() => {});
    if (!await within(PIPE_HELD_MS, settled)) await this.#stdoutReader.cancel().catch(() => {});
  }

  async #readStderr(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#stderrReader.read();
        if (done) return;
        this.#stderr.push(value);
      }
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

/**
 * One running codex: started detached (its own process group), fed its prompt, and ended without
 * leaving anything of its tree alive.
 *
 * @module
 */
import type { Variables } from "./codex_binary.ts";
import { familyOf, killFamily, processTable, signal, TURN_MARK } from "./process_table.ts";
import { clip } from "./failure.ts";
import { TurnError } from "./turn_event.ts";

/** What to start. */
export interface CodexCommand {
  path: string;
  args: string[];
  env: Variables;
  cwd: string;
  /** Written to stdin, which is then closed. */
  prompt: string;
  /** Put into the environment, so that every process of the turn can be found again. */
  mark: string;
}

/** How a process ended. */
export interface ExitStatus {
  code: number;
  signal: string | undefined;
}

/** Kept of stderr: its end. */
const STDERR_TAIL_BYTES = 16 * 1024;
const READ_BYTES = 256 * 1024;

/** A codex process and its family. */
export class CodexProcess implements AsyncDisposable {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ExitStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #mark: string;
  readonly #stderr = new Tail(STDERR_TAIL_BYTES);
  readonly #stdin: Promise<void>;
  readonly #stderrRead: Promise<void>;
  readonly #stderrReader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stdoutReader: ReadableStreamBYOBReader;
  #gone = false;

  private constructor(child: Deno.ChildProcess, { prompt, mark }: CodexCommand) {
    this.#child = child;
    this.#mark = mark;
    this.pid = child.pid;
    this.exited = child.status.then(({ code, signal }) => {
      this.#gone = true;
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
    try {
      const child = new Deno.Command(command.path, {
        args: command.args,
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
      throw startFailure(error, command);
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
      const { value, done } = await this.#stdoutReader.read(buffer);
      if (done) return;
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
  }

  /** Ends {@link stdout} although somebody may still hold the pipe. */
  async closeStdout(): Promise<void> {
    await this.#stdoutReader.cancel().catch(() => {});
  }

  /**
   * Asks codex to stop (SIGINT to its group), gives it `graceMs`, then kills whatever is left of its
   * family. Returns when nothing of it runs any more, or what is left cannot be killed.
   * @returns The pids that survived SIGKILL; always empty on a healthy machine.
   */
  async stop(graceMs: number): Promise<number[]> {
    // Taken first: once codex is gone, its children belong to init.
    const family = familyOf(this.pid, await processTable());
    if (!this.#gone) {
      signal(-this.pid, "SIGINT");
      await within(graceMs, this.exited);
    }
    signal(-this.pid, "SIGKILL");
    const survivors = await killFamily(family, this.#mark);
    return survivors.map(({ pid }) => pid);
  }

  /** Lets go of every pipe. The process must have been stopped, or have exited. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.exited;
    await Promise.all([this.closeStdout(), this.#stderrReader.cancel().catch(() => {})]);
    await Promise.all([this.#stdin, this.#stderrRead]);
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

/** Waits for `event`, at most `ms`; true when it came. */
export async function within(ms: number, event: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([event.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
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

function startFailure(error: unknown, { path, cwd }: CodexCommand): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (/No such cwd/.test(message)) {
    return new TurnError({
      kind: "invalid_request",
      message: `codex: the workspace ${cwd} is gone`,
      retryable: false,
    });
  }
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
    return new TurnError({
      kind: "codex_missing",
      message: clip(`codex: cannot start ${path}: ${message}`),
      retryable: false,
      hint: "Reinstall codex, or set `binary` in config.json to its path.",
    });
  }
  return new TurnError({
    kind: "internal",
    message: clip(`codex: cannot start ${path}: ${message}`),
    retryable: true,
    hint: "The machine may be out of processes, file descriptors or memory.",
  });
}

/** The last bytes of a stream. */
class Tail {
  #bytes = new Uint8Array(0);
  constructor(readonly limit: number) {}

  push(chunk: Uint8Array): void {
    const kept = new Uint8Array(Math.min(this.limit, this.#bytes.length + chunk.length));
    const fromChunk = chunk.subarray(Math.max(0, chunk.length - kept.length));
    const fromBefore = this.#bytes.subarray(this.#bytes.length - (kept.length - fromChunk.length));
    kept.set(fromBefore);
    kept.set(fromChunk, fromBefore.length);
    this.#bytes = kept;
  }

  text(): string {
    return new TextDecoder().decode(this.#bytes);
  }
}

/**
 * One running codex: started in a session and a process group of its own, fed its prompt, and ended
 * without leaving anything of its tree alive. A process that cannot be ended (it belongs to somebody
 * else, or hangs in the kernel) is given up after a while, and named.
 *
 * @module
 */
import { ChildOutput, Tail } from "../../base/child_output.ts";
import { clip, errorMessage } from "../../base/error_message.ts";
import type { Variables } from "../../base/program.ts";
import { within } from "../../base/timer.ts";
import { workspaceGone } from "../failure/verdict.ts";
import { letNotifyFinish, ProcessFamily } from "../process/process_family.ts";
import type { ProcessRow } from "../process/process_table.ts";
import type { TurnDirectory } from "../process/turn_directory.ts";
import { markedCommand, TURN_MARK } from "../process/turn_mark.ts";
import { type Failure, TurnError } from "../turn_event.ts";

/** What to start. */
export interface CodexCommand {
  path: string;
  args: string[];
  env: Variables;
  cwd: string;
  /** Written to stdin, which is then closed. */
  prompt: string;
  /** Its mark is put on every process of the run, so that it can be found again. */
  directory: TurnDirectory;
  /** Something an operator would want to read. */
  onTrouble(message: string, data: Record<string, unknown>): void;
}

/** A process that could not be ended; codex itself comes first. */
export type Survivor = Pick<ProcessRow, "pid" | "command">;

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
/** How long a process may take to be gone after SIGKILL; one that takes longer is given up. */
const KILLED_MS = 2_000;
/** How long the writing of a prompt that nobody reads is waited for. */
const LET_GO_MS = 100;
/** Kept of stderr: its end. */
const STDERR_TAIL_BYTES = 16 * 1024;

/** A codex process and its family. */
export class CodexProcess {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<void>;
  readonly #family: ProcessFamily;
  readonly #stderr = new Tail(STDERR_TAIL_BYTES);
  readonly #stdin: Promise<void>;
  readonly #stderrPipe: ChildOutput;
  readonly #stderrRead: Promise<void>;
  readonly #stdout: ChildOutput;
  readonly #child: Deno.ChildProcess;
  #exit: ExitStatus | undefined;

  private constructor(child: Deno.ChildProcess, { prompt, directory, onTrouble }: CodexCommand) {
    this.#child = child;
    this.pid = child.pid;
    this.#family = new ProcessFamily(directory.mark, { root: this.pid }, {
      onMembers: (rows) => directory.recordFamily(rows),
      onTrouble,
    });
    this.exited = child.status.then(({ code, signal }) => {
      this.#exit = { code, signal: signal ?? undefined };
      this.#stdout.childGone();
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
    const { mark } = command.directory;
    const { path, args, detached } = markedCommand(command.path, command.args, mark);
    try {
      const child = new Deno.Command(path, {
        args,
        cwd: command.cwd,
        env: { ...command.env, [TURN_MARK]: mark },
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

  /** Whether the process has ended. */
  get gone(): boolean {
    return this.#exit !== undefined;
  }

  /** How the process ended; `undefined` as long as it lives. */
  get exit(): ExitStatus | undefined {
    return this.#exit;
  }

  /**
   * Asks codex to stop (SIGINT to its group), gives it `graceMs`, then kills whatever is left of its
   * family. Returns when nothing of it runs any more, or what is left cannot be killed.
   * @returns What survived SIGKILL, codex first; always empty on a healthy machine.
   */
  async stop(graceMs: number, turn: Beginning): Promise<Survivor[]> {
    if (this.gone) return [...await this.#family.end()];
    // Taken first: once codex is gone, its children belong to init.
    await this.#family.look();
    await within(BEGIN_MS, this.#orGone(turn.interruptible));
    // A turn that begins after the signal has swallowed it, or was about to be read as begun.
    const swallowed = turn.hasBegun
      ? this.exited
      : turn.begun.then(() => within(HEARD_MS, this.exited));
    this.#family.signal("SIGINT");
    await within(graceMs, this.#orGone(swallowed));
    if (!this.gone) this.#family.signal("SIGKILL");
    const survivors = await this.#family.end();
    if (await within(KILLED_MS, this.exited)) {
      return survivors.filter((row) => row.pid !== this.pid);
    }
    const others = survivors.filter(({ pid }) => pid !== this.pid);
    return [
      survivors.find(({ pid }) => pid === this.pid) ?? { pid: this.pid, command: "codex" },
      ...others,
    ];
  }

  #orGone(event: Promise<unknown>): Promise<unknown> {
    return Promise.race([event, this.exited]);
  }

  /** Reads on, for nobody: a codex that fills its pipe would never end. Never rejects. */
  async discardOutput(): Promise<void> {
    try {
      for await (const _ of this.#stdout.chunks());
    } catch {
      // A broken pipe ends stdout like its end.
    }
  }

  /** The turn has begun: what codex starts from now on is looked for again and again. */
  watch(): void {
    this.#family.watch();
  }

  /** Whether nobody but codex is left of the run, as far as one look tells. */
  async isAlone(): Promise<boolean> {
    const { others, sure } = await this.#family.look();
    return sure && others.length === 0;
  }

  /**
   * Ends what a codex that is gone left running; returns what could not be ended. The user's `notify`
   * program gets a moment to finish, unless `signal` aborts.
   */
  async reap(signal: AbortSignal): Promise<readonly Survivor[]> {
    const { others, sure } = await this.#family.look();
    if (sure && others.length === 0) return [];
    await letNotifyFinish(others, signal);
    return await this.#family.end();
  }

  /** Lets go of every pipe. The process has been stopped, or has exited, or has been given up. */
  async close(): Promise<void> {
    await Promise.all([this.#stdout.close(), this.#stderrPipe.close(), this.#family.close()]);
    await this.#stderrRead;
    // A codex that was given up, or a child of it that has its stdin, may never take the prompt.
    await within(LET_GO_MS, this.#stdin);
    if (!this.gone) this.#child.unref();
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

/** The error of a spawn as one that the host understands. */
function startFailure(error: unknown, path: string, cwd: string): TurnError {
  const reason = errorMessage(error);
  return new TurnError(startFailureOf(error, reason, path, cwd));
}

function startFailureOf(error: unknown, reason: string, path: string, cwd: string): Failure {
  if (/No such cwd/.test(reason)) {
    return workspaceGone(cwd);
  }
  const message = clip(`codex: cannot start ${path}: ${reason}`);
  if (/failed resolving cwd/.test(reason)) {
    return {
      kind: "internal",
      message,
      retryable: false,
      hint:
        "The directory in which the plugin was started is gone. Start it again in one that stays.",
    };
  }
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
    return {
      kind: "codex_missing",
      message,
      retryable: false,
      hint: "Reinstall codex, or set `binary` in config.json to its path.",
    };
  }
  return {
    kind: "internal",
    message,
    retryable: true,
    hint: "The machine may be out of processes, file descriptors or memory.",
  };
}

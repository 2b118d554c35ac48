/**
 * The plugin as a process: bytes in, lines out, stderr kept for messages, and its end.
 */
import { LineSplitter } from "../../base/lines.ts";

/** How a process ended: an exit code, or the signal that ended it. */
export interface Exit {
  code: number;
  signal: Deno.Signal | null;
}

/** What to start; the environment is the whole environment. */
export interface StartOptions {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  /** Called for every line of stdout, without its newline; its errors are the caller's business. */
  onLine: (bytes: Uint8Array) => void;
}

const STDERR_KEPT = 64 * 1024;

/** A started plugin. */
export class PluginProcess {
  readonly pid: number;
  /** Resolves when the process has ended and all its output was read. */
  readonly exit: Promise<Exit>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #stdinClosed: Promise<void> | undefined;
  #stderr = "";

  constructor(options: StartOptions) {
    this.#child = new Deno.Command(options.command, {
      args: options.args,
      env: options.env,
      clearEnv: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#stdin = this.#child.stdin.getWriter();
    const reading = Promise.all([this.#readLines(options.onLine), this.#readStderr()]);
    this.exit = this.#child.status.then(async ({ code, signal }) => {
      await reading;
      await this.closeStdin();
      return { code, signal };
    });
  }

  /** The last 64 Ki characters that the plugin wrote for people. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Writes bytes as they are; resolves when the pipe took them. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#stdin.ready;
    await this.#stdin.write(bytes);
  }

  /** Ends the plugin's stdin, which asks it to end. */
  closeStdin(): Promise<void> {
    // A pipe whose reader is gone cannot be closed in order; that is as good as closed.
    return this.#stdinClosed ??= this.#stdin.close().catch(() => {});
  }

  /** Sends a signal to the plugin alone; nothing happens when it has ended. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  async #readLines(onLine: (bytes: Uint8Array) => void): Promise<void> {
    const splitter = new LineSplitter(256 * 1024 * 1024);
    for await (const chunk of this.#child.stdout) {
      for (const line of splitter.push(chunk)) {
        if (line.overlong === undefined) onLine(line.bytes);
        else throw new RangeError(`a line of ${line.overlong} bytes on the plugin's stdout`);
      }
    }
    const rest = splitter.end();
    if (rest?.overlong === undefined && rest !== undefined) onLine(rest.bytes);
  }

  async #readStderr(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) {
      this.#stderr = (this.#stderr + decoder.decode(chunk, { stream: true })).slice(-STDERR_KEPT);
    }
  }
}

/**
 * Runs a program to its end: the one way in which anything but codex's turns and the relay is started.
 *
 * Whatever the program does, the wait for it is over in time: it has a limit and hears a signal, what it
 * prints has a bound, and it is ended with its whole process group. A child of it that lives on and holds
 * its pipes, or that left the group, is not waited for.
 *
 * @module
 */
import { joinBytes } from "./lines.ts";
import { ChildOutput } from "./child_output.ts";
import { errorMessage } from "./error_message.ts";
import { pause, startTimer, within } from "./timer.ts";

/** How to run it. */
export interface ProgramOptions {
  /** Its whole environment; our own when left out. */
  env?: Variables;
  /**
   * `/` when left out: it looks at nothing by a relative path, and our own directory may be one that we may
   * not enter, in which nothing can be started.
   */
  cwd?: string;
  /** How long it may take. */
  timeMs: number;
  /** Ends it early. */
  signal?: AbortSignal | undefined;
  /** Most bytes of stdout and of stderr, 1 MiB when left out; who prints more is ended. */
  maxBytes?: number;
  /**
   * A program of the system that only looks something up (`cat`, `ps`): it starts no other, so it needs no
   * group of its own, whose making costs 3 ms; its stderr is not read.
   */
  lookup?: boolean;
  /** Gives stdout as bytes, too. */
  raw?: boolean;
}

/** What a program that ended by itself left. */
export interface ProgramEnd {
  code: number;
  /** The signal that ended it, from outside. */
  signal: string | undefined;
  stdout: string;
  /** `stdout` as it came, where that was asked for. */
  bytes?: Uint8Array<ArrayBuffer>;
  stderr: string;
}

/** A program that did not come to its end; the message says why, without its name. */
export class ProgramError extends Error {
  override name = "ProgramError";

  constructor(
    /** It could not be started; it took too long; it printed too much; nobody wants it any more. */
    readonly why: "start" | "time" | "output" | "cancelled",
    message: string,
    /** What it had printed until then. */
    readonly stdout = "",
    readonly stderr = "",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const MAX_BYTES = 1024 * 1024;
/** How long a process may take to die of SIGKILL; only one that hangs in the kernel takes longer. */
const KILLED_MS = 2_000;

/** Those that run now; `true` where the child alone is to be killed. */
const running = new Map<Deno.ChildProcess, boolean>();

/** Kills every program that still runs; for the end of our own. */
export function killPrograms(): void {
  for (const [child, alone] of running) kill(child, alone);
}

/**
 * Runs `path`, with nothing on its stdin.
 * @throws {ProgramError} when it could not be started or had to be ended.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramEnd> {
  const { signal, timeMs, maxBytes = MAX_BYTES } = options;
  const ended = Promise.withResolvers<["time" | "output" | "cancelled", string]>();
  const cancel = (): void => ended.resolve(["cancelled", "it was cancelled"]);
  if (signal?.aborted) throw new ProgramError("cancelled", "it was cancelled");
  const child = await started(path, args, options);
  const status = child.status;
  const outputs = (options.lookup ? [child.stdout] : [child.stdout, child.stderr])
    .map((stream) => new Output(stream, maxBytes));
  const tooMuch = (): void => ended.resolve(["output", `it printed more than ${maxBytes} bytes`]);
  const read = Promise.all(outputs.map((output) => output.read(tooMuch)));
  status.then(() => outputs.forEach((output) => output.childGone()));
  const disarm = startTimer(
    timeMs,
    () => ended.resolve(["time", `it did not end within ${timeMs / 1000} s`]),
  );
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  try {
    const why = await Promise.race([ended.promise, Promise.all([status, read]).then(() => {})]);
    const [stdout = "", stderr = ""] = outputs.map((output) => output.text());
    if (why !== undefined) throw new ProgramError(why[0], why[1], stdout, stderr);
    const { code, signal: killedBy } = await status;
    const end = { code, signal: killedBy ?? undefined, stdout, stderr };
    const bytes = options.raw ? outputs[0]?.bytes() : undefined;
    return bytes === undefined ? end : { ...end, bytes };
  } finally {
    disarm();
    signal?.removeEventListener("abort", cancel);
    kill(child, options.lookup === true);
    // What cannot be killed (it hangs in the kernel) must not keep us from ending either.
    if (!await within(KILLED_MS, status)) child.unref();
    running.delete(child);
    await Promise.all(outputs.map((output) => output.close()));
    await read;
  }
}

/** A file that is still open for writing cannot be started: so often it is tried again, and after so long. */
const BUSY_TRIES = 10;
const BUSY_MS = 20;

/**
 * An installer may be writing it, or a child that was forked while we wrote it has not become its own
 * program yet.
 */
async function started(
  path: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Deno.ChildProcess> {
  for (let tries = 1;; tries++) {
    try {
      const child = start(path, args, options);
      running.set(child, options.lookup === true);
      return child;
    } catch (error) {
      const isBusy = error instanceof ProgramError && /os error 26\b/.test(error.message);
      if (!isBusy || tries === BUSY_TRIES) throw error;
      await pause(BUSY_MS, options.signal);
      if (options.signal?.aborted) throw new ProgramError("cancelled", "it was cancelled");
    }
  }
}

function start(
  path: string,
  args: readonly string[],
  { env, cwd = "/", lookup }: ProgramOptions,
): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      ...(env === undefined ? {} : { env, clearEnv: true }),
      cwd,
      stdin: "null",
      stdout: "piped",
      stderr: lookup ? "null" : "piped",
      detached: !lookup,
    }).spawn();
  } catch (error) {
    throw new ProgramError("start", errorMessage(error), "", "", { cause: error });
  }
}

/** To the whole group: the program may be gone, and a child of it not. */
function kill(child: Deno.ChildProcess, alone: boolean): void {
  try {
    if (alone) child.kill("SIGKILL");
    else Deno.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

/** What comes through one pipe. */
class Output {
  readonly #pipe: ChildOutput;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #room: number;

  constructor(stream: ReadableStream<Uint8Array>, room: number) {
    this.#pipe = new ChildOutput(stream);
    this.#room = room;
  }

  /** Reads to the end, or until there is no room. Never rejects: a broken pipe ends it, too. */
  async read(tooMuch: () => void): Promise<void> {
    try {
      for await (const chunk of this.#pipe.chunks()) {
        this.#chunks.push(new Uint8Array(chunk.subarray(0, this.#room)));
        this.#room -= chunk.length;
        if (this.#room < 0) return tooMuch();
      }
    } catch {
      // The end.
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return joinBytes(this.#chunks);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  childGone(): void {
    this.#pipe.childGone();
  }

  async close(): Promise<void> {
    await this.#pipe.close();
  }
}

/** Environment variables, by name. */
export type Variables = Record<string, string>;

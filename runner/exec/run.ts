/**
 * `codex exec`: a process for each run. The process is `process.ts`, what it prints `wire.ts`; here is
 * the life of a run, from spawn to the last byte.
 *
 * A run is over when codex says so (`turn.completed`, `turn.failed`), not when its process ends; a
 * process that lingers is ended. Whatever the end, nothing of the run is left when its outcome is known,
 * or it is named there.
 *
 * @module
 */
import { join, relative } from "@std/path";
import { wellFormedJson } from "../../base/raw_json.ts";
import { userServerConfig } from "../codex/user_mcp_servers.ts";
import type { TurnDirectory } from "../process/turn_directory.ts";
import { marksByLimit } from "../process/turn_mark.ts";
import type { CodexEvent, CodexRun, RunInput, RunOutcome, Transport } from "../transport.ts";
import { Turnstile, unlessAborted, within } from "../../base/timer.ts";
import { codexArgs } from "./argv.ts";
import { type Beginning, CodexProcess, type Survivor } from "./process.ts";
import { readEvents } from "./wire.ts";

/** How long codex may take to exit after its last word. It takes 20 to 150 ms. */
const LINGER_MS = 2_000;

/** One process of `codex exec` for each run; nothing stays between runs. */
export const execTransport: Transport = {
  name: "exec",
  stays: false,
  run(input, signal): CodexRun {
    const run = new ExecRun(input, signal);
    return { events: run.events(), outcome: run.outcome };
  },
  release: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** How the reading of stdout came to its end. */
type Read =
  /** codex said its last word; whether it had nobody beside it then: it starts no more. */
  | { end: "last word"; alone: Promise<boolean> }
  | { end: "stdout" }
  /** Whoever pulled the events wants no more. */
  | { end: "abandoned" };

class ExecRun implements Beginning {
  readonly outcome: Promise<RunOutcome>;
  hasBegun = false;
  #announced = false;
  readonly #begun = Promise.withResolvers<void>();
  readonly #read = Promise.withResolvers<Read>();
  readonly #process: Promise<CodexProcess>;

  constructor(input: RunInput, signal: AbortSignal) {
    this.#process = start(input, signal);
    this.outcome = this.#live(input, signal);
  }

  get interruptible(): Promise<void> {
    return this.#announced ? this.begun : Promise.resolve();
  }

  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  async *events(): AsyncGenerator<CodexEvent> {
    let read: Read = { end: "abandoned" };
    try {
      const process = await this.#process.catch(() => undefined);
      if (process === undefined) return;
      for await (const event of readEvents(process.stdout())) {
        if (event.type === "thread_started") this.#announced = true;
        if (event.type === "turn_started") this.#begin(process);
        if (event.type === "turn_completed" || event.type === "turn_failed") {
          // codex takes a while to exit: time to look for what it may leave behind.
          read = { end: "last word", alone: process.isAlone() };
          this.#read.resolve(read);
          yield event;
          return;
        }
        yield event;
      }
      read = { end: "stdout" };
    } finally {
      this.#read.resolve(read);
    }
  }

  #begin(process: CodexProcess): void {
    this.hasBegun = true;
    process.watch();
    this.#begun.resolve();
  }

  async #live(input: RunInput, signal: AbortSignal): Promise<RunOutcome> {
    let process: CodexProcess;
    try {
      process = await this.#process;
    } catch (error) {
      await this.#read.promise;
      const refused = error instanceof Error ? error : new Error(String(error));
      return { exit: undefined, refused, lingered: false, stderr: "", survivors: [] };
    }
    input.onCodex?.(process.pid);
    // Where the mark alone finds codex, asking for its start time is a process for nothing.
    const directory = await input.files.directory();
    const recorded = marksByLimit() ? undefined : directory.recordCodex(process.pid);
    try {
      const read = await unlessAborted(this.#read.promise, signal).catch(() => undefined);
      const left = await this.#end(process, read, input.graceMs, signal);
      // Who was given up may hold its stdout open for ever.
      if (!process.gone) await process.close();
      const last = await this.#read.promise;
      // A run that was stopped at its last word did not wait for the look.
      if (last.end === "last word") await last.alone;
      return {
        exit: process.exit,
        refused: undefined,
        lingered: left.lingered,
        stderr: process.stderr,
        survivors: left.survivors.map(({ pid, command }) => ({ pid, command })),
      };
    } finally {
      await process.close();
      await recorded;
    }
  }

  /** Sees the process and its family to their end; `read` is `undefined` when codex was interrupted. */
  async #end(
    process: CodexProcess,
    read: Read | undefined,
    graceMs: number,
    signal: AbortSignal,
  ): Promise<{ lingered: boolean; survivors: readonly Survivor[] }> {
    if (read === undefined || read.end === "abandoned") {
      return { lingered: false, survivors: await process.stop(graceMs, this) };
    }
    if (read.end === "last word") void process.discardOutput();
    await within(LINGER_MS, unlessAborted(process.exited, signal).catch(() => {}));
    const lingered = !process.gone;
    if (lingered) return { lingered, survivors: await process.stop(graceMs, this) };
    const alone = read.end === "last word" && await read.alone;
    return { lingered, survivors: alone ? [] : await process.reap(signal) };
  }
}

/** Starting a process takes 1 to 3 ms of the loop. */
const starts = new Turnstile();

async function start(input: RunInput, signal: AbortSignal): Promise<CodexProcess> {
  const { codex, environment, cwd, outputSchema, hostTools } = input;
  const directory = await input.files.directory();
  const userServers = input.userMcpServers === "disable"
    ? await userServerConfig(codex.path, environment, cwd, signal)
    : [];
  await starts.pass();
  signal.throwIfAborted();
  return CodexProcess.start({
    path: codex.path,
    args: codexArgs({
      ...input,
      images: withoutCommas(input, directory),
      config: [
        ...(codex.capabilities.shellSnapshots ? ["features.shell_snapshot=false"] : []),
        ...userServers,
      ],
      trustsUnasked: codex.capabilities.trustsUnasked,
      outputSchema: outputSchema &&
        directory.write("output-schema.json", wellFormedJson(JSON.stringify(outputSchema))),
    }),
    env: { ...environment, ...hostTools?.env },
    cwd,
    prompt: input.prompt,
    directory,
    onTrouble: once((message, data) => input.onStatus(message, { level: "warning", ...data })),
  });
}

/** codex splits `--image` at commas. A link gives the turn's directory a name without one. */
function withoutCommas(
  { images, environment }: RunInput,
  directory: TurnDirectory,
): string[] {
  if (!images.some((path) => path.includes(","))) return [...images];
  const link = directory.link([environment.TMPDIR, "/tmp", "/var/tmp"]);
  return images.map((path) => join(link, relative(directory.path, path)));
}

/** What is troubling at one look is so at the next. */
function once<A extends unknown[]>(tell: (...args: A) => void): (...args: A) => void {
  let told = false;
  return (...args) => {
    if (!told) tell(...args);
    told = true;
  };
}

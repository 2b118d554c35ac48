/**
 * One turn on a server: the thread is loaded, the turn begun, told and ended, and what it has started
 * is cleared away. The server lives on, unless something of the turn resists.
 *
 * @module
 */
import { within } from "../../base/timer.ts";
import { classifyFailure } from "../failure/failure.ts";
import { TOOLLESS } from "../failure/verdict.ts";
import type { CodexEvent, RunInput, RunOutcome } from "../transport.ts";
import { TurnError } from "../turn_event.ts";
import type { EventQueue } from "./event_queue.ts";
import { type AppServer, ServerUnusable } from "./process.ts";
import { RpcRefusal, RpcSilence } from "./rpc.ts";
import type { ConfiguredTurn, ServerThread } from "./thread.ts";
import { TurnWire } from "./turn_wire.ts";
import { METHOD } from "./wire.ts";

/** How long codex may take to say that it begins a turn; it takes some milliseconds. */
const START_MS = 30_000;
/** How long it may take to end the commands that a turn left running: under 0.3 s was seen. */
const CLEAN_MS = 5_000;

/**
 * The machine's requirements.toml does not allow the turn's sandbox. The app-server refuses the turn;
 * `codex exec` runs it with the sandbox that is allowed, or says why not.
 */
const FORBIDDEN = /invalid value for `sandbox_mode`.* is not in the allowed set/;

/** Runs one turn. Never rejects; `events` is ended when the turn is over, before it is cleared up. */
export async function runOnServer(
  server: AppServer,
  thread: ServerThread,
  input: RunInput,
  events: EventQueue,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const run = new ServerRun(server, thread, input, events, signal);
  try {
    return await run.play();
  } finally {
    events.end();
    server.listener = undefined;
  }
}

class ServerRun {
  readonly #server: AppServer;
  readonly #thread: ServerThread;
  readonly #input: RunInput;
  readonly #events: EventQueue;
  readonly #signal: AbortSignal;
  readonly #begun = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  /** codex is to stop: we were cancelled, or it tries what cannot succeed. */
  readonly #stop = Promise.withResolvers<void>();
  #wire: TurnWire | undefined;
  /** Another turn has begun or ended. */
  #othersChanged = Promise.withResolvers<void>();
  #announced = false;

  constructor(
    server: AppServer,
    thread: ServerThread,
    input: RunInput,
    events: EventQueue,
    signal: AbortSignal,
  ) {
    this.#server = server;
    this.#thread = thread;
    this.#input = input;
    this.#events = events;
    this.#signal = signal;
  }

  async play(): Promise<RunOutcome> {
    const cancel = () => this.#stop.resolve();
    this.#signal.addEventListener("abort", cancel, { once: true });
    if (this.#signal.aborted) cancel();
    try {
      if (this.#signal.aborted) return outcome();
      const threadId = await this.#load();
      if (threadId === undefined) return outcome();
      if (!this.#input.hasHostTools()) {
        // Nobody runs a turn without them, so codex is not told of it. Asked again, it is loaded anew.
        await this.#thread.release();
        return outcome({ refused: new TurnError(TOOLLESS) });
      }
      await this.#begin(threadId);
      await Promise.race([this.#over.promise, this.#stop.promise, this.#server.exited]);
      const until = performance.now() + this.#input.graceMs;
      const stopped = this.#wire?.status !== undefined || await this.#interrupt(threadId, until);
      // The host need not wait for what is cleared away: it waits for the outcome.
      if (stopped) this.#events.end();
      return stopped ? await this.#clear(until) : await this.#kill();
    } catch (error) {
      return await this.#broken(error);
    } finally {
      this.#signal.removeEventListener("abort", cancel);
    }
  }

  /** The thread's id; `undefined` when the turn was cancelled meanwhile. */
  async #load(): Promise<string | undefined> {
    // The relay is started as soon as the thread is loaded.
    this.#input.onCodex?.(this.#server.pid);
    const loading = this.#thread.load(this.#input);
    loading.catch(() => {}); // may be left behind
    await Promise.race([loading.catch(() => {}), this.#stop.promise]);
    if (!this.#signal.aborted) return await loading;
    // Left alone in the middle of a load, the thread's state would be anybody's guess.
    if (!await within(this.#input.graceMs, loading)) await this.#server.kill();
    return undefined;
  }

  async #begin(threadId: string): Promise<void> {
    const server = this.#server;
    if (!await server.beginTurn()) {
      throw new ServerUnusable("the limit that marks the app-server's processes cannot be set");
    }
    this.#wire = new TurnWire(threadId);
    server.listener = (method, params) => this.#hear(method, params);
    const params = turnParams(threadId, this.#input, this.#thread.configured);
    const begins = server.rpc.request(METHOD.turnStart, params, START_MS)
      .then(() => this.#announce(threadId));
    begins.catch(() => {}); // may be left behind
    await Promise.race([begins, this.#stop.promise]);
  }

  /** Not before codex took the turn: until then it can be run in another way, and nobody has to know. */
  async #announce(threadId: string): Promise<void> {
    if (this.#announced) return;
    this.#announced = true;
    await this.#events.push({ type: "thread_started", threadId });
    for (const message of this.#thread.takeWarnings()) {
      await this.#events.push({ type: "warning", message });
    }
  }

  async #hear(method: string, params: unknown): Promise<void> {
    const wire = this.#wire;
    if (wire === undefined) return;
    const { size } = wire.others;
    for (const event of wire.take(method, params)) {
      if (event.type === "turn_started") await this.#announce(wire.threadId);
      const told = this.#toldAs(event, wire);
      if (told !== undefined) await this.#events.push(told);
    }
    if (wire.others.size !== size) this.#othersChanged.resolve();
    if (wire.turnId !== undefined) this.#begun.resolve();
    if (wire.hopeless !== undefined) this.#stop.resolve();
    if (wire.status !== undefined) this.#over.resolve();
  }

  /** A turn that we ended has our reason for its end, or none. */
  #toldAs(event: CodexEvent, { status, hopeless }: TurnWire): CodexEvent | undefined {
    if (event.type !== "turn_failed" || status !== "interrupted") return event;
    return this.#signal.aborted ? undefined : hopeless ?? event;
  }

  /** Whether codex stopped the turn when it was asked to. */
  async #interrupt(threadId: string, until: number): Promise<boolean> {
    const { exited, rpc } = this.#server;
    const left = () => Math.max(0, until - performance.now());
    // Between the request and `turn/started` an interrupt is refused, and the turn runs on.
    await within(left(), Promise.race([this.#begun.promise, exited]));
    const turnId = this.#wire?.turnId;
    if (turnId === undefined || this.#server.exit !== undefined) return false;
    // Refused is the turn that has just ended by itself.
    rpc.request(METHOD.turnInterrupt, { threadId, turnId }, left()).catch(() => {});
    await within(left(), Promise.race([this.#over.promise, exited]));
    return this.#wire?.status !== undefined;
  }

  /**
   * Ends what the turn has left running: the agents that its model started, codex's own list of
   * commands, then whatever has the turn's mark.
   */
  async #clear(until: number): Promise<RunOutcome> {
    const wire = this.#wire;
    const isQuiet = wire?.isQuiet === true && !this.#thread.configured.notifies;
    if (wire !== undefined && !isQuiet && !await this.#clean(wire, until)) {
      return await this.#kill();
    }
    const survivors = await this.#server.endTurn(isQuiet, this.#signal);
    const isClear = survivors.length === 0 && (wire?.others.size ?? 0) === 0;
    return isClear ? outcome() : await this.#kill();
  }

  /** Whether neither agents nor commands that codex knows of are left. */
  async #clean(wire: TurnWire, until: number): Promise<boolean> {
    const { rpc } = this.#server;
    do {
      if (!await this.#interruptOthers(wire, until)) return false;
      await Promise.all(
        [wire.threadId, ...wire.agents].map((threadId) =>
          rpc.request(METHOD.terminalsClean, { threadId }, CLEAN_MS).catch((error) => {
            // An agent's thread may be closed by now.
            if (threadId === wire.threadId || !(error instanceof RpcRefusal)) throw error;
          })
        ),
      );
    } while (wire.others.size > 0); // an agent was just being started
    return true;
  }

  /** Whether all turns beside ours have ended, also those that begin meanwhile. */
  async #interruptOthers({ others }: TurnWire, until: number): Promise<boolean> {
    const { exited, rpc } = this.#server;
    const left = () => Math.max(0, until - performance.now());
    const asked = new Set<string>();
    while (others.size > 0) {
      const changed = this.#othersChanged = Promise.withResolvers();
      for (const [turnId, threadId] of others) {
        if (asked.has(turnId)) continue;
        asked.add(turnId);
        rpc.request(METHOD.turnInterrupt, { threadId, turnId }, left()).catch((error) => {
          // Refused is what has just ended by itself, or with its thread.
          if (error instanceof RpcRefusal && others.delete(turnId)) this.#othersChanged.resolve();
        });
      }
      await within(left(), Promise.race([changed.promise, exited]));
      if (this.#server.exit !== undefined || left() === 0) break;
    }
    return others.size === 0;
  }

  async #kill(): Promise<RunOutcome> {
    // What is still read is told, but not to somebody who may have stopped listening.
    if (this.#signal.aborted) this.#events.end();
    const survivors = await this.#server.kill();
    const command = "";
    return outcome({
      // Of a turn that was over before, the server's end is no part.
      exit: this.#wire?.status === undefined ? this.#server.exit : undefined,
      stderr: this.#server.stderr,
      survivors: survivors.map(({ pid }) => ({ pid, command })),
    });
  }

  async #broken(error: unknown): Promise<RunOutcome> {
    if (error instanceof RpcRefusal && !this.#announced) {
      await this.#server.endTurn(true, this.#signal);
      if (FORBIDDEN.test(error.message)) {
        return outcome({ refused: new ServerUnusable(error.message, true) });
      }
      const failure = classifyFailure({ message: error.message, stderr: "" });
      return outcome({ refused: new TurnError(failure) });
    }
    const killed = await this.#kill();
    if (this.#announced || this.#signal.aborted) return killed;
    const refused = error instanceof RpcSilence
      ? new ServerUnusable(error.message)
      : asError(error);
    return { ...killed, refused };
  }
}

/** An outcome; where nothing is said, all went well and the server lives on. */
export function outcome(known: Partial<RunOutcome> = {}): RunOutcome {
  return {
    exit: undefined,
    refused: undefined,
    lingered: false,
    stderr: "",
    survivors: [],
    ...known,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/*
 * The request that begins a turn. Everything in it is given each time: codex keeps what it is told for
 * later turns as well.
 */

/** What of a run goes into its turn. */
type TurnInput = Pick<
  RunInput,
  "images" | "model" | "networkAccess" | "outputSchema" | "prompt" | "sandbox" | "writableRoots"
>;

/** Parameters of `turn/start`. */
function turnParams(
  threadId: string,
  input: TurnInput,
  configured: ConfiguredTurn,
): Record<string, unknown> {
  const { prompt, images, outputSchema, model = configured.model } = input;
  const { effort } = configured;
  return {
    threadId,
    input: [
      { type: "text", text: prompt, text_elements: [] },
      ...images.map((path) => ({ type: "localImage", path })),
    ],
    approvalPolicy: "never",
    sandboxPolicy: sandboxPolicy(input, configured.writes),
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
}

/** As `codex exec` puts it together: a flag, then codex's configuration, our values first. */
function sandboxPolicy(
  { sandbox, writableRoots, networkAccess }: TurnInput,
  writes: ConfiguredTurn["writes"],
): Record<string, unknown> {
  switch (sandbox) {
    case "read-only":
      return { type: "readOnly" };
    case "danger-full-access":
      return { type: "dangerFullAccess" };
    case "workspace-write":
      return {
        type: "workspaceWrite",
        writableRoots: writableRoots.length > 0 ? writableRoots : writes.writable_roots ?? [],
        networkAccess: networkAccess || writes.network_access === true,
        excludeTmpdirEnvVar: writes.exclude_tmpdir_env_var === true,
        excludeSlashTmp: writes.exclude_slash_tmp === true,
      };
  }
}

/**
 * The servers that stay between turns: one for each agent and workspace, so many at most, and one
 * more that nobody has yet.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { startTimer, unlessAborted, within } from "../../base/timer.ts";
import type { AgentKey } from "../transport.ts";
import type { Warm } from "../turn_request.ts";
import { AppServer, type ServerCommand, ServerUnusable } from "./process.ts";
import { RpcRefusal } from "./rpc.ts";
import { isKept, Spare } from "./spare.ts";
import { ServerThread } from "./thread.ts";

/** How long a thread that is to be let go may still be loaded: a load takes 0.1 s. */
const LEAVE_MS = 5_000;

/** A server with its thread, at work for one agent or waiting for its next turn. */
export interface Seat {
  readonly server: AppServer;
  readonly thread: ServerThread;
}

/** What the pool holds and how often it had what was wanted; for `stats` and `doctor`. */
export interface PoolSnapshot {
  servers: (AgentKey & {
    pid: number;
    /** The one it has loaded. */
    threadId: string | undefined;
    state: "running" | "idle";
  })[];
  /** The pid of the server that nobody has yet. */
  spare: number | undefined;
  /** Turns that found their server waiting, took the spare, or had to wait for a start. */
  hits: number;
  spares: number;
  misses: number;
}

/** The place of one agent in one workspace; its turns come one after the other. */
interface Place {
  agent: AgentKey;
  /** Of the server, while there is one. */
  key: string;
  seat: Seat | undefined;
  /** How it is kept, by now. */
  warm: () => Warm;
  /** Everything that concerns the server, in a row. */
  queue: Promise<void>;
  /** How many are in the queue. */
  queued: number;
  running: boolean;
  /** Ends the start that a server is waited for in. */
  abandon: () => void;
  idleSince: number;
  stopTimer: () => void;
}

/** Servers by agent and workspace. */
export class Pool {
  readonly #running: string;
  readonly #log: (message: string) => void;
  readonly #onGone: (agent: AgentKey) => void;
  readonly #places = new Map<string, Place>();
  readonly #counts = { hits: 0, spares: 0, misses: 0 };
  /** Servers that are on their way out. */
  readonly #leaving = new Set<Promise<unknown>>();
  readonly #spare: Spare;
  readonly #closing = new AbortController();

  /**
   * Marks are recorded below `running`, so that the next start finds what a killed plugin left.
   * `onGone` is told whose server has ended between turns.
   */
  constructor(
    running: string,
    log: (message: string) => void,
    onGone: (agent: AgentKey) => void,
  ) {
    this.#running = running;
    this.#log = log;
    this.#onGone = onGone;
    this.#spare = new Spare(
      (command) => AppServer.start(command, running, this.#closing.signal),
      log,
    );
  }

  /**
   * Works on the agent's server, which is started where there is none, or another one. Whoever comes
   * meanwhile waits.
   * @throws {ServerUnusable} when none can be started.
   */
  use<T>(
    agent: AgentKey,
    command: ServerCommand,
    warm: () => Warm,
    work: (seat: Seat) => Promise<T>,
  ): Promise<T> {
    const place = this.#place(agent, warm);
    const { misses } = this.#counts;
    const done = this.#alone(place, async () => {
      place.stopTimer();
      place.running = true;
      place.warm = warm;
      try {
        return await work(await this.#seat(place, command));
      } finally {
        place.running = false;
        await this.#keep(place);
      }
    });
    const settle = () => this.#leave(this.#settle(command, warm, misses));
    done.then(settle, settle);
    return done;
  }

  /** Has the thread of an idle server read again, or given up. Never rejects. */
  async release(agent: AgentKey, why: "reload" | "leave"): Promise<void> {
    const place = this.#places.get(placeKey(agent));
    if (place === undefined) return;
    const done = this.#alone(place, async () => {
      const { seat } = place;
      if (seat === undefined) return;
      try {
        if (why === "reload") await seat.thread.reload();
        else await seat.thread.release();
      } catch (error) {
        // Refused is what somebody else has open by now: the next turn will say so, if it still is.
        if (error instanceof RpcRefusal) return;
        this.#log(
          `the thread of agent ${agent.agentId} could not be let go: ${errorMessage(error)}`,
        );
        await this.#drop(place);
      }
    });
    // A start whose turn was cancelled, or a load: whoever needs the thread does not wait for that.
    if (why === "leave" && !await within(LEAVE_MS, done)) {
      if (place.seat === undefined) place.abandon();
      else if (!place.running) void place.seat.server.kill();
    }
    await done;
  }

  /**
   * Sees to it that no server but `except`'s has the thread loaded: two agents of a workspace may go on with
   * the same one. Never rejects.
   */
  async free(threadId: string | undefined, except?: AgentKey): Promise<void> {
    if (threadId === undefined) return;
    const kept = except && placeKey(except);
    const holders = [...this.#places].filter(([key, { seat }]) =>
      key !== kept && seat !== undefined && seat.thread.id === threadId
    );
    await Promise.all(holders.map(([, { agent }]) => this.release(agent, "leave")));
  }

  /** Resolves when nothing is done any more of what was asked of the agent's server before. */
  async settled(agent: AgentKey): Promise<void> {
    await this.#places.get(placeKey(agent))?.queue;
  }

  /** Starts a server for whoever needs one next, where that is wanted, unless there is one. */
  prepare(command: ServerCommand, warm: () => Warm): void {
    if (!this.#closing.signal.aborted) this.#leave(this.#spare.prepare(command, warm));
  }

  /** Ends the spare and the idle servers that are no longer wanted; resolves before they are gone. */
  dismissUnwanted(): void {
    this.#leave(this.#spare.dismissUnwanted());
    const idle = this.#idle();
    idle.forEach((place) => this.#wait(place));
    this.#leave(this.#makeRoom(Math.min(...idle.map(({ warm }) => warm().max))));
  }

  /** Whether a server waits for the agent's next turn. */
  keeps(agent: AgentKey): boolean {
    return this.#places.get(placeKey(agent))?.seat !== undefined;
  }

  /** What it holds. */
  snapshot(): PoolSnapshot {
    const servers = [...this.#places.values()].flatMap(({ agent, seat, running }) => {
      if (seat === undefined) return [];
      const state = running ? "running" as const : "idle" as const;
      return [{ pid: seat.server.pid, ...agent, threadId: seat.thread.id, state }];
    });
    return { servers, spare: this.#spare.pid, ...this.#counts };
  }

  /** Ends every server, also in the middle of a turn; nothing is started any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#leave(this.#spare.dismiss());
    await Promise.all([...this.#places.values()].map((place) => {
      if (place.queued > 0) void place.seat?.server.kill();
      return this.#alone(place, () => this.#drop(place));
    }));
    await Promise.all(this.#leaving);
  }

  /** Ends every server at once, with all that it started. */
  async kill(): Promise<void> {
    this.#closing.abort();
    const spare = this.#spare.kill();
    const seats = [...this.#places.values()].map(({ seat }) => seat?.server.kill());
    await Promise.all([spare, ...seats]);
  }

  async #seat(place: Place, command: ServerCommand): Promise<Seat> {
    if (this.#closing.signal.aborted) throw new ServerUnusable("the plugin ends");
    const key = JSON.stringify(command);
    if (place.seat?.server.isAlive && place.key === key) {
      this.#counts.hits++;
      return place.seat;
    }
    // Another binary, environment or argument: the thread cannot be loaded in two of them.
    await this.#drop(place);
    // With the spare there may be one more than `max`, but never two.
    this.#leave(this.#makeRoom(place.warm().max - 1));
    const abandoned = new AbortController();
    place.abandon = () => abandoned.abort();
    const signal = AbortSignal.any([this.#closing.signal, abandoned.signal]);
    const server = await this.#takeSpare(key, signal) ?? await this.#start(command, signal);
    place.key = key;
    place.seat = { server, thread: new ServerThread(server) };
    // One that dies while it waits leaves nothing behind either.
    void server.exited.then(() =>
      this.#leave(this.#alone(place, async () => {
        if (place.seat?.server === server) await this.#drop(place);
      }))
    );
    return place.seat;
  }

  async #start(command: ServerCommand, signal: AbortSignal): Promise<AppServer> {
    this.#counts.misses++;
    return await AppServer.start(command, this.#running, signal);
  }

  async #takeSpare(key: string, signal: AbortSignal): Promise<AppServer | undefined> {
    const taking = this.#spare.take(key);
    const server = await unlessAborted(taking, signal).catch((error) => {
      this.#leave(taking.then((late) => late?.end()));
      throw error;
    });
    if (server !== undefined) this.#counts.spares++;
    return server;
  }

  /** The turn is over: the server waits for the next one, if it may. */
  async #keep(place: Place): Promise<void> {
    const { seat } = place;
    if (seat === undefined) return;
    if (!seat.server.isAlive || !isKept(place.warm()) || this.#closing.signal.aborted) {
      return await this.#drop(place);
    }
    place.idleSince = performance.now();
    this.#wait(place);
  }

  /** Ends the server when it has been idle for long enough. */
  #wait(place: Place): void {
    place.stopTimer();
    place.stopTimer = startTimer(
      Math.max(0, place.idleSince + place.warm().idleMs - performance.now()),
      () => this.#leave(this.#alone(place, () => this.#drop(place))),
    );
  }

  /** What is too much is ended, and what will be wanted next is started. */
  async #settle(command: ServerCommand, warm: () => Warm, missesBefore: number): Promise<void> {
    await this.#makeRoom(warm().max);
    // Who had to wait for a start shows what the spare should have been.
    if (!this.#spare.isThere || missesBefore < this.#counts.misses) this.prepare(command, warm);
  }

  #idle(): Place[] {
    return [...this.#places.values()]
      .filter(({ seat, queued }) => seat !== undefined && queued === 0);
  }

  get #size(): number {
    return [...this.#places.values()].filter(({ seat }) => seat !== undefined).length;
  }

  /** Ends who has waited longest until there are at most `max`; turns that run are never touched. */
  async #makeRoom(max: number): Promise<void> {
    const idle = this.#idle().sort((a, b) => a.idleSince - b.idleSince);
    const tooMany = idle.slice(0, Math.max(0, this.#size - Math.max(0, max)));
    await Promise.all(tooMany.map((place) => this.#alone(place, () => this.#drop(place))));
  }

  /** Ends the place's server, if it has one. */
  async #drop(place: Place): Promise<void> {
    const { seat } = place;
    place.stopTimer();
    place.seat = undefined;
    if (seat === undefined) return;
    const survivors = await seat.server.end();
    if (!place.running) this.#onGone(place.agent);
    if (survivors.length === 0) return;
    this.#log(`processes of codex survived being killed: ${survivors.map(({ pid }) => pid)}`);
  }

  #leave(leaving: Promise<unknown>): void {
    const gone = leaving.catch(() => {}).finally(() => this.#leaving.delete(gone));
    this.#leaving.add(gone);
  }

  #place(agent: AgentKey, warm: () => Warm): Place {
    const key = placeKey(agent);
    let place = this.#places.get(key);
    if (place === undefined) {
      const { agentId, workspace } = agent;
      place = {
        agent: { agentId, workspace },
        key: "",
        seat: undefined,
        warm,
        queue: Promise.resolve(),
        queued: 0,
        running: false,
        abandon: () => {},
        idleSince: 0,
        stopTimer: () => {},
      };
      this.#places.set(key, place);
    }
    return place;
  }

  /** Runs `work` after everything that was asked of the place before. */
  #alone<T>(place: Place, work: () => Promise<T>): Promise<T> {
    place.queued++;
    const done = place.queue.then(work).finally(() => {
      place.queued--;
      const idle = place.queued === 0 && place.seat === undefined;
      const key = placeKey(place.agent);
      // A server whose end came late may have had its place taken.
      if (idle && this.#places.get(key) === place) this.#places.delete(key);
    });
    place.queue = done.then(() => {}, () => {});
    return done;
  }
}

function placeKey({ agentId, workspace }: AgentKey): string {
  return JSON.stringify([agentId, workspace]);
}

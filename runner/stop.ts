/**
 * What ends a turn, or one run of it, from outside of codex: a cancel, and the watchdog.
 *
 * @module
 */
import { type Clock, wallClock } from "../base/timer.ts";

/** Why codex is ended although it has not said its last word. */
export type Stop =
  | { by: "cancel" }
  | { by: "watchdog"; watch: Watch; limitMs: number }
  /** codex began another thread than the one it was asked to resume. */
  | { by: "stray"; threadId: string }
  /** codex lets the agent do more than was asked for. */
  | { by: "too_free"; what: string }
  /** codex began the turn without the host's tools. */
  | { by: "toolless" };

/** Carries the first reason to stop to whoever works or waits. */
export class Stopper implements Disposable {
  readonly #control = new AbortController();
  #why: Stop | undefined;
  #unlink = (): void => {};

  /** Stops whatever runs under it. */
  get signal(): AbortSignal {
    return this.#control.signal;
  }

  /** The reason; `undefined` as long as there is none. */
  get why(): Stop | undefined {
    return this.#why;
  }

  /** @param outer Stops this one, too: for that reason, or, a bare signal, as a cancel. */
  constructor(outer: Stopper | AbortSignal) {
    const signal = outer instanceof Stopper ? outer.signal : outer;
    const follow = () => this.stop(outer instanceof Stopper && outer.why || { by: "cancel" });
    signal.addEventListener("abort", follow, { once: true });
    this.#unlink = () => signal.removeEventListener("abort", follow);
    if (signal.aborted) follow();
  }

  /** Stops; only the first reason counts. */
  stop(why: Stop): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#control.abort();
  }

  [Symbol.dispose](): void {
    this.#unlink();
  }
}

/*
 * Ends turns that would never end: each watch has a deadline, signs of life push it back, but that of
 * the whole turn, which counts from the request's first line and is never moved.
 *
 * One timer serves all watches and is only armed for the nearest deadline; a sign of life writes a
 * number, nothing more, so a flood of events costs nothing here.
 *
 * Reconnecting is watched by what codex says, not by a timer: a reconnect that succeeded is silent
 * until the model has finished its thought, which may take many minutes. So the limit is looked at
 * whenever codex says once more that it reconnects; one that says no more is silent.
 */

/** Limits in milliseconds; 0 means none. */
export interface WatchLimits {
  /** Until codex announces its thread. */
  start: number;
  /** Without any sign of life while no tool runs. */
  silence: number;
  /** The same while a tool runs. */
  toolSilence: number;
  /** Reconnecting to the model without progress. */
  reconnect: number;
  /** The whole turn. */
  total: number;
}

/** The name of a watch. */
export type Watch = keyof WatchLimits;

/** A timer that is later than this was not just kept waiting by other work. */
const OVERSLEPT_MS = 500;

/** Watches one turn. */
export class Watchdog implements Disposable {
  readonly #limits: WatchLimits;
  readonly #expired: (watch: Watch, limitMs: number) => void;
  readonly #deadlines = new Map<Watch, number>();
  #toolsOpen = false;
  #paused = false;
  readonly #clock: Clock;
  #disarm: () => void = () => {};
  #reconnectingSince: number | undefined;
  /** Since the last sign of life: what is late again and again is not just woken late. */
  #forgiven = false;
  #armedFor = Infinity;
  #due = 0;
  #over = false;

  /** @param expired Called at most once, with the first watch whose deadline passed. */
  constructor(
    limits: WatchLimits,
    expired: (watch: Watch, limitMs: number) => void,
    clock: Clock = wallClock,
  ) {
    this.#limits = limits;
    this.#expired = expired;
    this.#clock = clock;
    this.#set("start");
    this.#set("total");
  }

  /** codex is started once more. */
  restart(): void {
    this.#deadlines.delete("silence");
    this.#deadlines.delete("toolSilence");
    this.#reconnectingSince = undefined;
    this.#toolsOpen = false;
    this.#set("start");
  }

  /** codex announced its thread. */
  started(): void {
    this.#deadlines.delete("start");
    this.sign();
  }

  /** Something was printed or recorded. */
  sign(): void {
    if (this.#deadlines.has("start")) return;
    this.#forgiven = false;
    this.#deadlines.delete(this.#toolsOpen ? "silence" : "toolSilence");
    this.#set(this.#toolsOpen ? "toolSilence" : "silence");
  }

  /** Whether any tool call is open now. */
  tools(open: boolean): void {
    if (open === this.#toolsOpen) return;
    this.#toolsOpen = open;
    this.sign();
  }

  /** codex said that it reconnects; the time counts from the first such line. */
  reconnecting(): void {
    this.sign();
    const now = this.#clock.now();
    const since = this.#reconnectingSince ??= now;
    const limit = this.#limits.reconnect;
    if (limit > 0 && now - since >= limit) this.#expire("reconnect");
  }

  /** The model was reached (again). */
  progress(): void {
    this.#reconnectingSince = undefined;
    this.sign();
  }

  /** While the host does not take our events, silence is not codex's. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.sign();
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#disarm();
    this.#deadlines.clear();
  }

  #set(watch: Watch): void {
    const limit = this.#limits[watch];
    if (limit === 0 || this.#over) return;
    const deadline = this.#clock.now() + limit;
    this.#deadlines.set(watch, deadline);
    if (deadline < this.#armedFor) this.#arm(deadline);
  }

  #arm(deadline: number): void {
    this.#disarm();
    this.#armedFor = deadline;
    // 2^31 ms is the longest a timer can wait; a longer limit is looked at again then.
    const wait = Math.min(Math.max(0, deadline - this.#clock.now()), 2 ** 31 - 1);
    this.#due = this.#clock.now() + wait;
    this.#disarm = this.#clock.after(wait, () => this.#look());
  }

  /** We were stopped, or the machine was: what codex said meanwhile has not been read yet. */
  #forgive(overslept: number, now: number): void {
    this.#forgiven = true;
    for (const [watch, deadline] of this.#deadlines) {
      if (watch === "total") continue;
      this.#deadlines.set(watch, Math.max(deadline + overslept, now + OVERSLEPT_MS));
    }
  }

  #look(): void {
    this.#armedFor = Infinity;
    if (this.#paused) this.sign();
    const now = this.#clock.now();
    const overslept = now - this.#due;
    if (overslept > OVERSLEPT_MS && !this.#forgiven) this.#forgive(overslept, now);
    const late = [...this.#deadlines].find(([, deadline]) => deadline <= now);
    if (late === undefined) {
      if (this.#deadlines.size > 0) this.#arm(Math.min(...this.#deadlines.values()));
      return;
    }
    this.#expire(late[0]);
  }

  #expire(watch: Watch): void {
    if (this.#over) return;
    this[Symbol.dispose]();
    this.#expired(watch, this.#limits[watch]);
  }
}

/**
 * Time: one clock, one timer, and the ways to wait with a bound. Injected where tests decide when it passes.
 *
 * @module
 */

/** Calls `fire` once after `ms`, unless the returned function is called before. */
export type Timer = (ms: number, fire: () => void) => () => void;

/** A clock that never goes back, and its alarms. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  after: Timer;
}

/** The longest that the runtime's own timer waits; for more it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The wall clock's timer, for any length. */
export const startTimer: Timer = (ms, fire) => {
  let id: ReturnType<typeof setTimeout>;
  const wait = (left: number): void => {
    const next = Math.min(left, LONGEST_MS);
    id = setTimeout(() => left > next ? wait(left - next) : fire(), next);
  };
  wait(ms);
  return () => clearTimeout(id);
};

/** The machine's own clock. */
export const wallClock: Clock = { now: () => performance.now(), after: startTimer };

/** Waits for `event`, at most `ms`; true when it came. Rejects as `event` does. */
export async function within(ms: number, event: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const stop = startTimer(ms, () => late.resolve(false));
  try {
    return await Promise.race([event.then(() => true as const), late.promise]);
  } finally {
    stop();
  }
}

/** Waits `ms`, or until `signal` aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const woken = Promise.withResolvers<void>();
  const stop = startTimer(ms, woken.resolve);
  await unlessAborted(woken.promise, signal).catch(() => {});
  stop();
}

/**
 * Lets callers through one by one, with a round of the loop between two: for work of many turns that each
 * holds the loop for some milliseconds. Who comes alone does not wait.
 */
export class Turnstile {
  #free: Promise<void> = Promise.resolve();

  pass(): Promise<void> {
    const free = this.#free;
    this.#free = free.then(() => new Promise((resolve) => setTimeout(resolve, 0)));
    return free;
  }
}

/**
 * Waits for work that goes on when we no longer wait.
 * @throws the signal's reason when it aborts first.
 */
export async function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await work;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener("abort", abort);
    // Left behind, its failure is nobody's.
    work.catch(() => {});
  }
}

/**
 * Work that several wait for; it is given up when the last of them no longer does. That one waits until
 * the work has heard so: whoever was told that nothing runs any more must be right.
 */
export class SharedWork<T> {
  readonly #work: Promise<T>;
  readonly #stop = new AbortController();
  #waiting = 0;
  #settled = false;

  /** @param work Begins now; its signal aborts when it is given up, and ends it in a bounded time. */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work(this.#stop.signal).finally(() => this.#settled = true);
    this.#work.catch(() => {}); // whoever waits is told
  }

  /** Whether nobody waited for its end: it will not come to one. */
  get givenUp(): boolean {
    return this.#stop.signal.aborted;
  }

  /** @throws what the work throws, or the signal's reason when it aborts first. */
  async wait(signal?: AbortSignal): Promise<T> {
    this.#waiting++;
    try {
      return await unlessAborted(this.#work, signal);
    } finally {
      if (--this.#waiting === 0 && !this.#settled) {
        this.#stop.abort();
        await this.#work.catch(() => {});
      }
    }
  }
}

/** How long a slice of long work on the loop that all turns share may be. The next frame of a host waits that long at most. */
const SLICE_MS = 5;

/** Lets everything else run that is ready to. */
export function letOthersRun(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** The slices of one piece of work: `if (slices.due) await slices.next();` after each small step. */
export class Slices {
  #began = performance.now();

  /** Whether this slice was long enough. */
  get due(): boolean {
    return performance.now() - this.#began >= SLICE_MS;
  }

  /** Lets others run; another slice begins. */
  async next(): Promise<void> {
    await letOthersRun();
    this.#began = performance.now();
  }
}

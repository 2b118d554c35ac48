/**
 * Time, injected so that tests decide when it passes.
 *
 * @module
 */

/** A clock that never goes back, and its alarms. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Calls `fire` once after `ms`, unless the returned function is called before. */
  after(ms: number, fire: () => void): () => void;
}

/** The machine's own clock. */
export const wallClock: Clock = {
  now: () => performance.now(),
  after(ms, fire) {
    const id = setTimeout(fire, ms);
    return () => clearTimeout(id);
  },
};

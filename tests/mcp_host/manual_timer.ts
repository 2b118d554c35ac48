/** A timer whose time is up when the test says so. */
import type { Timer } from "../../base/timer.ts";

/** Timers that were started and neither stopped nor fired. */
export interface ManualTimer {
  timer: Timer;
  /** The limits of the timers that run, in ms. */
  running(): number[];
  /** Fires every running timer of that many ms. */
  fire(ms: number): void;
}

/** Makes a manual timer. */
export function manualTimer(): ManualTimer {
  const running = new Map<symbol, { ms: number; fire: () => void }>();
  return {
    timer(ms, fire) {
      const id = Symbol();
      running.set(id, { ms, fire });
      return () => void running.delete(id);
    },
    running: () => Array.from(running.values(), (entry) => entry.ms),
    fire(ms) {
      for (const [id, entry] of running) {
        if (entry.ms !== ms) continue;
        running.delete(id);
        entry.fire();
      }
    },
  };
}

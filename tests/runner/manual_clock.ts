import type { Clock } from "../../base/timer.ts";

/** A clock that stands still until the test lets time pass. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #waiting = new Set<{ at: number; fire: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, fire: () => void): () => void {
    const alarm = { at: this.#now + ms, fire };
    this.#waiting.add(alarm);
    return () => this.#waiting.delete(alarm);
  }

  /** How many alarms are set. */
  get alarms(): number {
    return this.#waiting.size;
  }

  /** Lets `ms` pass; alarms go off in order, each at its time. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#waiting].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#waiting.delete(next);
      this.#now = next.at;
      next.fire();
    }
    this.#now = end;
  }

  /** The process is stopped for `ms`: what was due meanwhile goes off at its end, all at once. */
  sleep(ms: number): void {
    this.#now += ms;
    for (const alarm of this.#waiting) {
      if (alarm.at > this.#now) continue;
      this.#waiting.delete(alarm);
      alarm.fire();
    }
  }
}

/**
 * Long work on the loop that all turns share, in slices: others run in between.
 *
 * @module
 */

/** How long a slice may be. The next frame of a host waits that long at most. */
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

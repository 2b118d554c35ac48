/**
 * What codex tells twice: on stdout and in the rollout.
 *
 * @module
 */

/**
 * Counts what codex both prints and records, one for one, in the same order (seen on 0.135 to
 * 0.169). Whichever comes first is told: the rollout's place among the calls is the true one, and
 * what codex died before printing is not lost.
 */
export class Twice {
  #printed = 0;
  #recorded = 0;

  /** The index of what was printed, or `undefined` when its record was told already. */
  printed(): number | undefined {
    return ++this.#printed > this.#recorded ? this.#printed - 1 : undefined;
  }

  /** The index of what was recorded, or `undefined` when its print was told already. */
  recorded(): number | undefined {
    return ++this.#recorded > this.#printed ? this.#recorded - 1 : undefined;
  }
}

/**
 * Measuring on a machine that others use too: what is compared runs in turn, round after round, and the
 * median counts. Ratios within one run are what to believe, not the milliseconds.
 */

/** Milliseconds of each round, by name. */
export type Rounds = Map<string, number[]>;

/** Runs every candidate once per round, always in the same order, after one round that is not counted. */
export async function rounds(
  count: number,
  candidates: Record<string, (round: number) => unknown>,
): Promise<Rounds> {
  const times: Rounds = new Map(Object.keys(candidates).map((name) => [name, []]));
  for (let round = -1; round < count; round++) {
    for (const [name, run] of Object.entries(candidates)) {
      const start = performance.now();
      await run(round + 1);
      const time = performance.now() - start;
      if (round >= 0) times.get(name)?.push(time);
    }
  }
  return times;
}

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

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** A table in Markdown. */
export function table(head: string[], rows: (string | number)[][]): string {
  const line = (cells: (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n") + "\n";
}

/** A number a person can read. */
export function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

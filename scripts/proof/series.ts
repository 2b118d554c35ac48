/**
 * Measurements in a row, and what is said of them; and chance that can be repeated. Milliseconds unless
 * the caller means otherwise.
 */

/** The lowest, the middle, the highest, and where the middle half lies. */
export interface Spread {
  min: number;
  q1: number;
  median: number;
  q3: number;
  max: number;
}

/** The value below which the share `q` (0 to 1) of `values` lies; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** How `values` are spread. */
export function spread(values: readonly number[]): Spread {
  const [min, q1, middle, q3, max] = [0, 0.25, 0.5, 0.75, 1].map((q) => quantile(values, q));
  return { min: min ?? NaN, q1: q1 ?? NaN, median: middle ?? NaN, q3: q3 ?? NaN, max: max ?? NaN };
}

/** Pair by pair, `ours` in units of `theirs`. Both must be in the order they were measured in. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, index) => value / (theirs[index] ?? NaN));
}

/**
 * Runs two candidates in turn, `pairs` times each (A B, B A, A B, …), after one uncounted round.
 * Interleaved, because a machine is faster or slower for longer than one run takes.
 */
export async function pairs<T>(
  count: number,
  a: () => Promise<T>,
  b: () => Promise<T>,
): Promise<{ a: T[]; b: T[] }> {
  const measured: { a: T[]; b: T[] } = { a: [], b: [] };
  for (let round = 0; round <= count; round++) {
    const first = round % 2 === 0 ? await a() : undefined;
    const second = await b();
    const third = first ?? await a();
    if (round === 0) continue;
    measured.a.push(third);
    measured.b.push(second);
  }
  return measured;
}

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

/** A line through points. */
export interface Trend {
  /** Per unit of x. */
  slope: number;
  /** At the first and at the last x. */
  first: number;
  last: number;
}

/**
 * Whether a row of figures is flat: the line through `points` by least squares; flat through the mean
 * where there is no telling.
 */
export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [mx, my] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
  const slope = spread === 0
    ? 0
    : points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / spread;
  const at = (x: number): number => my + slope * (x - mx);
  return { slope, first: at(Math.min(...xs)), last: at(Math.max(...xs)) };
}

/** Repeatable numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

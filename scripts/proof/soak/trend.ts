/** Is a row of figures flat? The straight line through it, by least squares. */

/** A line through points. */
export interface Trend {
  /** Per unit of x. */
  slope: number;
  /** At the first and at the last x. */
  first: number;
  last: number;
}

/** The line through `points`; flat through the mean where there is no telling. */
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

/** The middle value; the lower of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN;
}

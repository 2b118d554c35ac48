/**
 * A figure: one measured ratio (or size) with its goal, as benchmarks print and record it.
 *
 * `deno task bench` gives every benchmark a file to append its figures to, one JSON line each, and
 * compares them with the last recorded ones. A benchmark that is run by itself only prints.
 */
import { short, table } from "../../../table.ts";
import { median, ratios, type Spread, spread } from "../../series.ts";

/** The variable that names the file. */
export const FIGURES_FILE = "PLEXUM_BENCH_FIGURES";

/** What was measured. */
export interface Figure extends Spread {
  /** Which question it answers; groups the figures of a table. */
  question: string;
  /** What was compared, in words; with `question` its identity from one run to the next. */
  name: string;
  /** What it should be at most (or at least, when more is better). Absent: told for comparison. */
  goal?: number;
  better: "lower" | "higher";
  /** "×" for a ratio, else what it is counted in. */
  unit: string;
  /** How many measurements. */
  count: number;
  /** The absolute values behind a ratio, in words. */
  note?: string;
}

/** What a benchmark says of its measurements. */
export type FigureOf = Pick<Figure, "question" | "name"> & {
  values: readonly number[];
  goal?: number;
  better?: "lower" | "higher";
  unit?: string;
  note?: string;
};

/** The figure of measurements. */
export function figure({ values, better = "lower", unit = "×", ...words }: FigureOf): Figure {
  return { ...words, better, unit, count: values.length, ...spread(values) };
}

/** The figure of pairs of milliseconds: `ours` in units of `theirs`. */
export function ratio(
  { ours, theirs, ...words }:
    & Omit<FigureOf, "values" | "note">
    & Record<"ours" | "theirs", readonly number[]>,
): Figure {
  const note = `${short(median(ours))} ms to ${short(median(theirs))} ms`;
  return figure({ ...words, values: ratios(ours, theirs), note });
}

/** Whether the median, as it is shown, reaches the goal; true where there is none. */
export function reached({ goal, better, median }: Figure): boolean {
  if (goal === undefined) return true;
  const shown = Number(short(median));
  return better === "lower" ? shown <= goal : shown >= goal;
}

/** Prints figures as a table and hands them to `deno task bench`, if that listens. */
export function report(figures: readonly Figure[]): void {
  console.log(figureTable(figures));
  const path = Deno.env.get(FIGURES_FILE);
  if (path === undefined) return;
  const lines = figures.map((one) => JSON.stringify(one) + "\n").join("");
  Deno.writeTextFileSync(path, lines, { append: true });
}

/** A table in Markdown. */
export function figureTable(figures: readonly Figure[]): string {
  return table(
    ["", "goal", "median", "min – max", ""],
    figures.map((one) => [
      ...[one.name, goalOf(one), `**${short(one.median)}**${unitOf(one)}`],
      ...[`${short(one.min)} – ${short(one.max)}`, one.note ?? ""],
    ]),
  ) + "\n";
}

function goalOf(one: Figure): string {
  if (one.goal === undefined) return "–";
  const sign = one.better === "lower" ? "≤" : "≥";
  return `${sign} ${one.goal}${unitOf(one)} ${reached(one) ? "✓" : "✗"}`;
}

function unitOf({ unit }: Figure): string {
  return unit === "×" ? "" : ` ${unit}`;
}

/** Changes of the median smaller than this are never worth a word. */
const IGNORED = 0.03;

/** A warning for every figure that got worse by more than its noise. */
export function regressions(last: readonly Figure[], now: readonly Figure[]): string[] {
  return now.flatMap((one) => {
    const before = last.find((other) => isSame(one, other));
    if (before === undefined || !isWorse(before, one)) return [];
    const [was, is] = [before, one].map((f) =>
      `${short(f.median)} (${short(f.q1)}–${short(f.q3)})`
    );
    return [`${one.question}, ${one.name}: was ${was} ${one.unit}, is ${is} ${one.unit}`];
  });
}

/** Whether both measure the same. */
export function isSame(a: Figure, b: Figure): boolean {
  return a.question === b.question && a.name === b.name;
}

/** Worse is worse when not even the middle halves of the two measurements touch. */
function isWorse(before: Figure, now: Figure): boolean {
  const change = (now.median - before.median) / Math.abs(before.median);
  return now.better === "lower"
    ? change > IGNORED && now.q1 > before.q3
    : change < -IGNORED && now.q3 < before.q1;
}

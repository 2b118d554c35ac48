/**
 * Small charts as SVG: horizontal bars with a goal, and lines over a number. Text, no dependencies,
 * readable on light and dark pages; the same data always gives the same bytes.
 */

/** One bar. */
export interface Bar {
  label: string;
  value: number;
  /** A whisker from the lowest to the highest measurement. */
  low?: number;
  high?: number;
  /** Marked across the bar. */
  goal?: number;
}

/** One line. */
export interface Series {
  name: string;
  /** In ascending order of the first number. */
  points: readonly (readonly [x: number, y: number])[];
}

/** What a chart says around its data. */
export interface Words {
  title: string;
  /** What the values are counted in; "" for plain ratios. */
  unit: string;
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #444 }
.title { font-weight: 600; font-size: 13px }
.rule { stroke: #888; stroke-width: 1; fill: none }
.grid { stroke: #888; stroke-opacity: .25 }
.goal { stroke: #d1242f; stroke-width: 2 }
.c0 { fill: #4c86d9; stroke: #4c86d9 } .c1 { fill: #d98c3f; stroke: #d98c3f }
.c2 { fill: #58a06a; stroke: #58a06a } .c3 { fill: #9a6cc9; stroke: #9a6cc9 }
.bar { stroke: none } .line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .goal { stroke: #ff7b72 } }
</style>`;

const WIDTH = 720;
const ROW = 26;
const TOP = 34;

/** Bars below each other, all from zero on one scale. */
export function barChart({ title, unit }: Words, bars: readonly Bar[]): string {
  const left = Math.min(460, 20 + 6.6 * Math.max(...bars.map(({ label }) => label.length)));
  const most = Math.max(...bars.flatMap(({ value, high, goal }) => [value, high ?? 0, goal ?? 0]));
  const x = (value: number): number => left + Math.max(0, value) / most * (WIDTH - left - 90);
  const rows = bars.map(({ label, value, low, high, goal }, index) => {
    const [y, middle] = [TOP + index * ROW, TOP + index * ROW + 9];
    const end = Math.max(x(value), x(high ?? 0), x(goal ?? 0));
    return [
      `<text x="${at(left - 8)}" y="${middle + 4}" text-anchor="end">${escape(label)}</text>`,
      `<rect class="bar c0" x="${at(left)}" y="${y}" width="${at(x(value) - left)}" height="18"/>`,
      ...(low === undefined || high === undefined
        ? []
        : [`<path class="rule" d="M${at(x(low))} ${middle}H${at(x(high))}"/>`]),
      ...(goal === undefined ? [] : [`<path class="goal" d="M${at(x(goal))} ${y - 2}v22"/>`]),
      `<text x="${at(end + 6)}" y="${middle + 4}">${number(value)}${unit && ` ${unit}`}</text>`,
    ].join("\n");
  });
  const goals = bars.some(({ goal }) => goal !== undefined) ? ["red: the goal"] : [];
  const whiskers = bars.some(({ low }) => low !== undefined)
    ? ["thin line: lowest to highest"]
    : [];
  const legend = [...whiskers, ...goals].join(", ");
  const height = TOP + bars.length * ROW + (legend ? 22 : 4);
  const foot = legend && `<text x="${at(left)}" y="${height - 6}">${legend}</text>`;
  return svg(height, [heading(title), ...rows, foot]);
}

/** Lines from zero up; `xWords` says what the horizontal axis counts. */
export function lineChart(
  { title, unit, xWords }: Words & { xWords: string },
  series: readonly Series[],
): string {
  const [left, right, bottom] = [64, WIDTH - 20, 250];
  const points = series.flatMap((one) => one.points);
  const [x0, x1] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const most = Math.max(...points.map(([, y]) => y));
  const x = (value: number): number => left + (value - x0) / (x1 - x0 || 1) * (right - left);
  const y = (value: number): number => bottom - value / most * (bottom - TOP - 20);
  const grid = [0, 0.5, 1].map((part) =>
    `<path class="grid" d="M${left} ${at(y(part * most))}H${right}"/>` +
    `<text x="${left - 6}" y="${at(y(part * most) + 4)}" text-anchor="end">` +
    `${number(part * most)}</text>`
  );
  const lines = series.map(({ points }, index) => {
    const path = points.map(([a, b]) => `${at(x(a))} ${at(y(b))}`).join("L");
    return `<path class="line c${index % 4}" d="M${path}"/>`;
  });
  let legendAt = left;
  const legend = series.map(({ name }, index) => {
    const here = legendAt;
    legendAt += 30 + 6.6 * name.length;
    return `<rect class="bar c${index % 4}" x="${at(here)}" y="284" width="10" height="10"/>` +
      `<text x="${at(here + 15)}" y="293">${escape(name)}</text>`;
  });
  const ends = `<text x="${left}" y="268">${number(x0)}</text>` +
    `<text x="${right}" y="268" text-anchor="end">${number(x1)} ${escape(xWords)}</text>`;
  return svg(302, [heading(`${title}${unit && `, ${unit}`}`), ...grid, ...lines, ends, ...legend]);
}

function svg(height: number, parts: string[]): string {
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    STYLE,
    ...parts,
    "</svg>\n",
  ]
    .filter(Boolean).join("\n");
}

function heading(title: string): string {
  return `<title>${escape(title)}</title>\n<text class="title" x="8" y="18">${
    escape(title)
  }</text>`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function number(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

import { strict as assert } from "node:assert";
import { barChart, lineChart } from "../../scripts/chart.ts";

const words = { title: "a < b", unit: "ms" };
const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect class="bar c0" [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width)
  );

Deno.test("bars are as long as their values, and whiskers and goals lie on the same scale", () => {
  const svg = barChart(words, [
    { label: "one", value: 1, low: 0.5, high: 1.5, goal: 2 },
    { label: "two", value: 2 },
  ]);
  const [one = NaN, two = NaN] = widths(svg);
  assert.ok(Math.abs(two - 2 * one) < 0.2, `${one} ${two}`);
  const [, left = NaN, y = NaN] = (/<rect class="bar c0" x="([\d.]+)" y="(\d+)"/.exec(svg) ?? [])
    .map(
      Number,
    );
  assert.ok(svg.includes(`class="goal" d="M${Math.round((left + two) * 10) / 10} ${y - 2}`), svg);
  assert.match(svg, /thin line: lowest to highest, red: the goal/);
});

Deno.test("a value below zero does not leave the chart", () => {
  const svg = barChart(words, [{ label: "x", value: 1, low: -3, high: 2 }]);
  const [, left = ""] = /<rect class="bar c0" x="([\d.]+)"/.exec(svg) ?? [];
  assert.ok(svg.includes(`class="rule" d="M${left} `), svg);
});

Deno.test("lines begin left and end right, higher values higher up", () => {
  const svg = lineChart({ ...words, xWords: "turns" }, [
    { name: "latency", points: [[0, 1], [1000, 2]] },
  ]);
  const [, x0, y0, x1, y1] =
    (/class="line c0" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/.exec(svg) ?? []).map(Number);
  assert.ok((x0 ?? NaN) < (x1 ?? NaN) && (y0 ?? NaN) > (y1 ?? NaN), svg);
  assert.match(svg, />1000 turns</);
});

Deno.test("text is escaped, and readable on light and dark pages", () => {
  const svg = barChart(words, [{ label: "<&>", value: 1 }]);
  assert.ok(svg.includes("a &lt; b") && svg.includes("&lt;&amp;&gt;") && !svg.includes("<&>"));
  assert.match(svg, /prefers-color-scheme: dark/);
});

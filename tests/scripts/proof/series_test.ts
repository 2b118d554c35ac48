import { strict as assert } from "node:assert";
import { pairs, quantile, ratios, spread, trendOf } from "../../../scripts/proof/series.ts";

Deno.test("quantile lies between two values, and does not mind their order", () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([4, 1, 3, 2], 1), 4);
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

Deno.test("spread has the ends, the middle and the middle half", () => {
  assert.deepEqual(spread([5, 1, 2, 3, 4]), { min: 1, q1: 2, median: 3, q3: 4, max: 5 });
});

Deno.test("ratios are those of the pairs, not of the medians", () => {
  assert.deepEqual(ratios([2, 9], [1, 3]), [2, 3]);
});

Deno.test("pairs runs both in turn, each first every other time, and forgets the first round", async () => {
  const order: string[] = [];
  const run = (name: string) => () => Promise.resolve(order.push(name));
  const { a, b } = await pairs(3, run("a"), run("b"));
  assert.equal(order.join(""), "abbaabba");
  assert.deepEqual(a, [4, 5, 8]);
  assert.deepEqual(b, [3, 6, 7]);
});

Deno.test("trendOf() finds the slope of a line, and none in a flat one or a single point", () => {
  const line = [0, 1, 2, 3].map((x): [number, number] => [x, 5 + 2 * x]);
  assert.deepEqual(trendOf(line), { slope: 2, first: 5, last: 11 });
  assert.equal(trendOf([[0, 7], [10, 7], [20, 7]]).slope, 0);
  assert.deepEqual(trendOf([[3, 4]]), { slope: 0, first: 4, last: 4 });
});

Deno.test("trendOf() passes through the middle of noise", () => {
  const { slope, first, last } = trendOf([[0, 0], [1, 3], [2, 0], [3, 3]]);
  assert.ok(slope > 0 && first > 0 && last < 3);
});

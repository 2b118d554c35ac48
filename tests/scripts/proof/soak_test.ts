import { strict as assert } from "node:assert";
import { median, trendOf } from "../../../scripts/proof/soak/trend.ts";

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

Deno.test("median() takes the middle, whatever the order, and of two the lower", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 2]), 2);
});

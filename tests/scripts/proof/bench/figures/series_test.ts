import { strict as assert } from "node:assert";
import {
  pairs,
  quantile,
  ratios,
  spread,
} from "../../../../../scripts/proof/bench/figures/series.ts";

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

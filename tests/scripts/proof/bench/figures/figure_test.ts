import { strict as assert } from "node:assert";
import {
  type Figure,
  figure,
  figureTable,
  reached,
  regressions,
} from "../../../../../scripts/proof/bench/figures/figure.ts";

const of = (values: number[], more: Partial<Figure> = {}): Figure => ({
  ...figure({ question: "a turn", name: "bare", values }),
  ...more,
});

Deno.test("a figure that is worse by more than its noise is named with both values", () => {
  const [warning, ...more] = regressions([of([1, 1.02, 1.04])], [of([1.2, 1.22, 1.24])]);
  assert.equal(warning, "a turn, bare: was 1.02 (1.01–1.03) ×, is 1.22 (1.21–1.23) ×");
  assert.deepEqual(more, []);
});

Deno.test("what is noise, better, hardly changed or new is not worth a word", () => {
  const last = [of([1, 1.02, 1.04])];
  assert.deepEqual(regressions(last, [of([0.8, 1.2, 1.6])]), [], "the middle halves touch");
  assert.deepEqual(regressions(last, [of([0.5, 0.6, 0.7])]), [], "better");
  assert.deepEqual(regressions([of([1, 1, 1])], [of([1.02, 1.02, 1.02])]), [], "2 %");
  assert.deepEqual(regressions(last, [of([2, 2, 2], { name: "another" })]), [], "new");
});

Deno.test("where more is better, less is worse", () => {
  const [was, is] = [[20, 21, 22], [10, 11, 12]].map((v) => of(v, { better: "higher" }));
  assert.equal(regressions([was as Figure], [is as Figure]).length, 1);
  assert.equal(regressions([is as Figure], [was as Figure]).length, 0);
});

Deno.test("a goal is reached by the median, on its own side", () => {
  assert.ok(reached(of([1, 1.04, 9], { goal: 1.05 })));
  assert.ok(!reached(of([1, 1.06, 9], { goal: 1.05 })));
  assert.ok(reached(of([30], { goal: 20, better: "higher" })));
  assert.ok(!reached(of([10], { goal: 20, better: "higher" })));
});

Deno.test("the table says goal, median, spread and unit", () => {
  const text = figureTable([of([1, 2, 3], { goal: 2, unit: "MiB", note: "idle" })]);
  assert.match(text, /^\| bare \| ≤ 2 MiB ✓ \| \*\*2\.00\*\* MiB \| 1\.00 – 3\.00 \| idle \|$/m);
});

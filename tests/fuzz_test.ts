/**
 * The fuzz targets in brief: every case that failed once, then some thousands of new ones. The long
 * runs are `deno task fuzz`; docs/reliability.md has their figures.
 */
import { strict as assert } from "node:assert";
import { keptCases } from "../scripts/proof/fuzz.ts";
import { supervise } from "../scripts/proof/fuzz/supervisor.ts";
import { TARGETS } from "../scripts/proof/fuzz/target.ts";

/** Cases that take about a second; the seed is fixed, so a failure comes back. */
const CASES: Record<string, number> = {
  host: 300,
  executable: 25,
  codex: 600,
  server: 600,
  rollout: 400,
  consume: 100,
  link: 200,
  config: 1000,
};

for (const target of TARGETS) {
  Deno.test(`fuzz target ${target.name} takes every kept case and many new ones`, async () => {
    const kept = keptCases(target);
    const outcome = await supervise({ target, cases: CASES[target.name] ?? 100, seed: 1, kept });
    assert.equal(outcome.failure, undefined, outcome.failure?.message);
    assert.equal(outcome.kept, kept.length);
  });
}

Deno.test("fuzz supervisor tells of a worker that could not begin", async () => {
  const [target] = TARGETS;
  assert.ok(target);
  const missing = { ...target, name: "missing" };
  const { failure } = await supervise({ target: missing, cases: 1, seed: 1, kept: [] });
  assert.match(failure?.message ?? "", /no fuzz target missing/);
  assert.equal(failure?.bytes, undefined);
});

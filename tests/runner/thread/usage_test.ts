import { strict as assert } from "node:assert";
import fc from "fast-check";
import type { Usage } from "../../../rollout/records/events.ts";
import { addUsage, totalAfter, turnUsage, ZERO_USAGE } from "../../../runner/thread/usage.ts";
import { capturedRun, eventsOf, followedOf } from "../captured.ts";

const usageOf = (inputTokens: number, outputTokens = 0): Usage => ({
  ...ZERO_USAGE,
  inputTokens,
  outputTokens,
});
const amount = fc.nat(1_000_000);
const anyUsage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: amount,
  cachedInputTokens: amount,
  outputTokens: amount,
  reasoningOutputTokens: amount,
});

/** A turn of so many requests on a thread that already has `base`. */
function countsOf(base: Usage, requests: Usage[]): { total: Usage; last: Usage }[] {
  let total = base;
  return requests.map((last) => ({ total: total = addUsage(total, last), last }));
}

Deno.test("turnUsage is what the turn's requests used, whatever the thread had before", () => {
  fc.assert(fc.property(anyUsage, fc.array(anyUsage, { minLength: 1 }), (base, requests) => {
    const recorded = countsOf(base, requests);
    const reported = recorded.at(-1)?.total;
    const used = requests.reduce(addUsage, ZERO_USAGE);
    assert.deepEqual(turnUsage({ recorded, reported, base }), used);
    assert.deepEqual(turnUsage({ recorded: [], reported, base }), used);
    assert.deepEqual(totalAfter({ recorded, reported, base }), addUsage(base, used));
  }));
});

Deno.test("turnUsage without a base adds the recorded requests up, never the thread's total", () => {
  // At least one token each: a request that moved nothing cannot be told from a repeated record.
  const request = anyUsage.map((usage) => ({ ...usage, inputTokens: usage.inputTokens + 1 }));
  fc.assert(fc.property(anyUsage, fc.array(request), (before, requests) => {
    const recorded = countsOf(before, requests);
    const reported = recorded.at(-1)?.total ?? before;
    const used = requests.reduce(addUsage, ZERO_USAGE);
    assert.deepEqual(turnUsage({ recorded, reported, base: undefined }), used);
  }));
});

Deno.test("turnUsage is never negative, whatever the evidence", () => {
  const count = fc.record({ total: anyUsage, last: anyUsage });
  fc.assert(fc.property(
    fc.option(anyUsage, { nil: undefined }),
    fc.array(count),
    fc.option(anyUsage, { nil: undefined }),
    (reported, recorded, base) => {
      const usage = turnUsage({ reported, recorded, base });
      for (const value of Object.values(usage)) assert.ok(value >= 0);
    },
  ));
});

Deno.test("turnUsage trusts a base that is too high less than the recorded requests", () => {
  const recorded = countsOf(usageOf(1000), [usageOf(200), usageOf(300)]);
  assert.deepEqual(
    turnUsage({ recorded, reported: undefined, base: usageOf(99_999) }),
    usageOf(500),
  );
});

Deno.test("turnUsage of a turn that recorded nothing and reported nothing is zero", () => {
  const base = usageOf(5000);
  assert.deepEqual(turnUsage({ recorded: [], base }), ZERO_USAGE);
  assert.deepEqual(totalAfter({ recorded: [], base }), base);
});

Deno.test("turnUsage agrees with what codex reported, for every captured first turn", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    for (const scenario of ["text", "shell-ok", "commentary", "reasoning", "mcp-echo"]) {
      const run = capturedRun(version, scenario);
      const reported = eventsOf(run).flatMap((e) =>
        e.type === "turn_completed" ? [e.usage] : []
      )[0];
      const recorded = followedOf(run).flatMap((e) => e.type === "usage" ? [e] : []);
      assert.ok(reported !== undefined && recorded.length > 0, `${version} ${scenario}`);
      assert.deepEqual(turnUsage({ recorded, base: ZERO_USAGE }), reported, scenario);
      assert.deepEqual(turnUsage({ recorded, base: undefined }), reported, scenario);
    }
  }
});

Deno.test("turnUsage of a resumed turn is the turn's own, with compaction in between too", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    for (const scenario of ["resume-3-turns", "compaction-3-turns", "compaction-remote-3-turns"]) {
      const totals = eventsOf(capturedRun(version, scenario))
        .flatMap((event) => event.type === "turn_completed" ? [event.usage] : []);
      assert.equal(totals.length, 3);
      let base: Usage = ZERO_USAGE;
      for (const reported of totals) {
        const used = turnUsage({ recorded: [], reported, base });
        assert.ok(used.inputTokens > 0 && used.outputTokens > 0, `${version} ${scenario}`);
        assert.deepEqual(addUsage(base, used), reported, "totals only grow");
        base = reported ?? base;
      }
    }
  }
});

/**
 * The version matrix, as far as the suite goes: every scenario on the oldest supported codex, one
 * between and the newest. `deno task matrix` has the rest.
 */
import { strict as assert } from "node:assert";
import { play } from "../../scripts/proof/matrix/run.ts";
import { SCENARIOS } from "../../scripts/proof/matrix/scenarios.ts";
import { skipped } from "../support/skipped.ts";
import { MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";

const VERSIONS = [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX];

for (const scenario of SCENARIOS) {
  const missing = scenario.missing?.();
  Deno.test({
    name: `scenario ${scenario.name}: ${scenario.promise}`,
    ignore: skipped(missing !== undefined, missing ?? ""),
    fn: async () => {
      const cells = await Promise.all(VERSIONS.map((version) => play(scenario, version)));
      const failures = cells.flatMap((cell, index) =>
        cell.verdict === "fail" ? [`codex ${VERSIONS[index]}: ${cell.reason}`] : []
      );
      assert.deepEqual(failures, [], failures.join("\n"));
    },
  });
}

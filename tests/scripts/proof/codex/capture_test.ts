/** A capture of the newest codex against what is kept of it. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { capture } from "../../../../scripts/proof/codex/capture.ts";
import { CODEX_SCENARIOS } from "../../../../scripts/proof/codex/scenarios.ts";
import { ShapeCollector } from "../../../../scripts/proof/codex/shape.ts";
import { ROOT } from "../../../../scripts/project.ts";
import { NEWEST_CODEX } from "../../../support/codex.ts";

const NAMES = ["mcp-echo", "mcp-iserror", "text"];

function fixture(name: string, file: string): string {
  return Deno.readTextFileSync(join(ROOT, "tests", "fixtures", NEWEST_CODEX, name, file));
}

Deno.test("capture of the kept newest codex prints and records what its fixtures have", async () => {
  const { captured, shape } = await capture(
    NEWEST_CODEX,
    CODEX_SCENARIOS.filter(({ name }) => NAMES.includes(name)),
  );
  const noIds = (text: string) => text.replace(/"thread_id":"[^"]+"/g, '"thread_id":""');
  const kept = new ShapeCollector();
  for (const { name, stdout } of captured) {
    assert.equal(noIds(stdout), noIds(fixture(name, "stdout.jsonl")), name);
    const lines = fixture(name, "rollout.jsonl").trimEnd().split("\n");
    for (const line of lines) kept.rollout(JSON.parse(line));
  }
  assert.deepEqual(captured.map(({ name }) => name), NAMES);
  assert.deepEqual(shape.rollout, kept.shapes());
});

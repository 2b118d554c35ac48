import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { reportThread } from "../../../rollout/report/thread_reader.ts";
import { sumsOf, tokensOf } from "../../../rollout/report/thread_report.ts";
import { FIXTURES, rolloutWith } from "../../plugin/operator/session_files.ts";

Deno.test("reportThread reads turns, prompts and calls of a real 0.169 session", () => {
  const report = reportThread(join(FIXTURES, "0.169.0", "shell-fail", "rollout.jsonl"));
  assert.equal(report.codexVersion, "0.169.0");
  assert.equal(report.cwd, "/workspace");
  const [turn] = report.turns;
  assert.equal(turn?.prompt, "do it");
  assert.equal(turn?.status, "complete");
  assert.ok((turn?.contextTokens ?? 0) > 0);
  const [call] = turn?.calls ?? [];
  assert.equal(call?.name, "exec_command");
  assert.equal(call?.failed, true);
  assert.equal(call?.outputs, 1);
  assert.match(call?.at ?? "", /^\d{4}-\d\d-\d\dT/);
  assert.equal(call?.outputBytes, new TextEncoder().encode(call?.output).length);
});

for (const version of ["0.135.0", "0.169.0"]) {
  Deno.test(`reportThread knows what codex ${version} compacted away`, () => {
    const report = reportThread(join(FIXTURES, version, "compaction-3-turns", "rollout.jsonl"));
    assert.equal(report.turns.length, 3);
    assert.deepEqual(report.turns.map(({ compacted }) => compacted), [false, true, false]);
    const sums = sumsOf(report);
    assert.deepEqual([sums.calls, sums.compactedCalls, sums.heldBytes], [1, 1, 0]);
  });
}

Deno.test("reportThread tells what was consumed, and counts lines that cannot be read", () => {
  using file = rolloutWith([
    { call: "c1", output: "...(consumed)" },
    { call: "c2", output: "...(tool called)" },
    { call: "c3", output: "é".repeat(400) },
    "{ torn",
  ]);
  const report = reportThread(file.path);
  const calls = report.turns.flatMap((turn) => turn.calls);
  assert.deepEqual(calls.map(({ consumed }) => consumed), ["light", "heavy", "no"]);
  assert.equal(calls[2]?.outputBytes, 800);
  assert.ok(calls[2] !== undefined && tokensOf(calls[2]) === 201);
  assert.equal(report.unreadable, 1);
});

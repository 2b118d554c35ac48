import { strict as assert } from "node:assert";
import * as z from "zod/mini";
import { PluginStats } from "../../plugin/protocol.ts";
import { Stats } from "../../plugin/stats.ts";
import type { TurnSummary } from "../../runner/turn_stream.ts";

const SUMMARY: TurnSummary = {
  agent: "cx",
  model: "codex",
  thread: "t",
  resumed: true,
  stop_reason: "end_turn",
  error: undefined,
  exit: undefined,
  ms_to_first_event: 1,
  ms_total: 2,
  input_tokens: 5,
  cached_input_tokens: 3,
  output_tokens: 2,
  reasoning_output_tokens: 1,
  tool_calls: 1,
  host_tool_calls: 1,
  tool_errors: 1,
  tool_output_bytes: 2,
  text_bytes: 15,
};

Deno.test("a turn is counted and left in a file", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const stats = new Stats("1.2.3", directory);
    stats.turnStarted();
    assert.equal(stats.snapshot().turns.running, 1);
    stats.turnEnded(SUMMARY);

    const counted = stats.snapshot();
    z.parse(PluginStats, counted);
    assert.deepEqual(counted.turns, {
      running: 0,
      end_turn: 1,
      max_tokens: 0,
      cancelled: 0,
      error: 0,
      refused: 0,
    });
    assert.deepEqual(counted.tokens, { input: 5, cached_input: 3, output: 2, reasoning_output: 1 });
    assert.deepEqual(counted.tools, { calls: 1, host_calls: 1, errors: 1, output_bytes: 2 });
    assert.equal(counted.last_turn?.thread, "t");

    await stats.written();
    const [file, ...rest] = [...Deno.readDirSync(directory)].map(({ name }) => name);
    assert.deepEqual([file, rest], ["stats.json", []]);
    const left = JSON.parse(Deno.readTextFileSync(`${directory}/stats.json`));
    assert.deepEqual(left, JSON.parse(JSON.stringify(counted)));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a turn that could not start is counted by the kind of its error", async () => {
  const stats = new Stats("1.2.3", "/proc/nowhere"); // that no file can be written is no error
  stats.turnStarted();
  stats.turnRefused({ ...SUMMARY, error: "codex_missing" });
  stats.consumed({ touched: 1, deferred: 0, skipped: [{}, {}] });
  stats.consumed();
  const { turns, errors, consumes } = stats.snapshot();
  assert.equal(turns.running, 0);
  assert.equal(turns.refused, 1);
  assert.deepEqual(errors, { codex_missing: 1 });
  assert.deepEqual(consumes, { requests: 2, touched: 1, deferred: 0, skipped: 2, failed: 1 });
  await stats.written();
});

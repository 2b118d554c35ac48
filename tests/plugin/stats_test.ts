import { strict as assert } from "node:assert";
import * as z from "zod/mini";
import { Log, type LogLine } from "../../plugin/log.ts";
import { PluginStats } from "../../plugin/protocol.ts";
import { Stats } from "../../plugin/stats.ts";
import { TurnRecord } from "../../plugin/turn_record.ts";
import { TurnError, type TurnEvent } from "../../runner/turn_event.ts";

const SECRET = "the whole story";
const EVENTS: TurnEvent[] = [
  { type: "started", threadId: "t", resumed: true },
  { type: "text", index: 0, text: SECRET },
  { type: "call_started", id: "c1", name: "search", source: "host" },
  { type: "call_ended", id: "c1", arguments: SECRET },
  { type: "call_result", id: "c1", output: "é", isError: true },
  {
    type: "ended",
    stopReason: "end_turn",
    usage: { inputTokens: 5, cachedInputTokens: 3, outputTokens: 2, reasoningOutputTokens: 1 },
    threadId: "t",
  },
];

Deno.test("a turn is counted, summed up in one log line, and left in a file", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const lines: LogLine[] = [];
    const log = new Log("debug", (line) => lines.push(line));
    const stats = new Stats("1.2.3", directory);
    const record = new TurnRecord({ agentId: "cx", model: "codex" }, log, stats);
    assert.equal(stats.snapshot().turns.running, 1);
    const seen: TurnEvent[] = [];
    const emit = record.observing((event) => Promise.resolve(void seen.push(event)));
    for (const event of EVENTS) await emit(event);
    record.ended();
    assert.deepEqual(seen, EVENTS);

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

    const last = lines.at(-1);
    assert.equal(last?.level, "info");
    assert.equal(last?.data.msg, "codex turn complete");
    assert.equal(last?.data.tool_output_bytes, 2);
    assert.equal(typeof last?.data.ms_to_first_event, "number");
    assert.equal(lines.length, EVENTS.length + 1);
    assert.ok(!JSON.stringify(lines).includes(SECRET), "payloads are size and digest");
    assert.match(JSON.stringify(lines[1]?.data), /"bytes":15,"sha256":"[0-9a-f]{12}"/);

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
  const lines: LogLine[] = [];
  const stats = new Stats("1.2.3", "/proc/nowhere"); // that no file can be written is no error
  const log = new Log("info", (line) => lines.push(line));
  const failure = { kind: "codex_missing", message: "no codex", retryable: false } as const;
  new TurnRecord({ agentId: "cx", model: "codex" }, log, stats).refused(new TurnError(failure));
  stats.consumed({ touched: 1, deferred: 0, skipped: [{}, {}] });
  stats.consumed();
  const { turns, errors, consumes } = stats.snapshot();
  assert.equal(turns.running, 0);
  assert.equal(turns.refused, 1);
  assert.deepEqual(errors, { codex_missing: 1 });
  assert.deepEqual(consumes, { requests: 2, touched: 1, deferred: 0, skipped: 2, failed: 1 });
  assert.equal(lines[0]?.data.msg, "codex turn refused");
  await stats.written();
});

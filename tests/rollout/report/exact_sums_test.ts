/**
 * What a list tells is read off the bytes; here it is held against decoding every line.
 */
import { strict as assert } from "node:assert";
import { isObject } from "../../../base/json_object.ts";
import { kindOf } from "../../../rollout/records/line_kind.ts";
import { reportThread } from "../../../rollout/report/thread_reader.ts";
import { sumsOf } from "../../../rollout/report/thread_report.ts";
import { allCaptured } from "../rollouts.ts";

Deno.test("a list's sums are those of decoding every line, also of damaged files and of large records", () => {
  const path = Deno.makeTempFileSync({ suffix: ".jsonl" });
  try {
    for (const { bytes, version, scenario } of allCaptured()) {
      for (const [damage, change] of Object.entries(CHANGES)) {
        const text = new TextDecoder().decode(bytes).split("\n");
        const changed = text.map((line, at) => line === "" ? line : change(line, at)).join("\n");
        Deno.writeTextFileSync(path, changed);
        const report = reportThread(path, { callText: 0 });
        const { turns, calls, heldBytes, consumedCalls, freedBytes, compactedCalls } = sumsOf(
          report,
        );
        const { unreadable } = report;
        assert.deepEqual(
          { turns, calls, heldBytes, consumedCalls, freedBytes, compactedCalls, unreadable },
          exactly(changed),
          `${version} ${scenario}, ${damage}`,
        );
      }
    }
  } finally {
    Deno.removeSync(path);
  }
});

const LONG = JSON.stringify('tide "é" \u{1F642}\n\\ \u0001 '.repeat(700)).slice(1, -1);
const inOutput = (text: string) => (line: string) =>
  line.replace(/"(output|text|aggregated_output|stdout)":"/g, (key) => key + text);
const everyThird = (change: (line: string) => string) => (line: string, at: number) =>
  at % 3 === 2 ? change(line) : line;
const CHANGES: Record<string, (line: string, at: number) => string> = {
  "as it is": (line) => line,
  "large": inOutput(LONG),
  "torn": everyThird((line) => line.slice(0, line.length - 20)),
  "large and torn": (line, at) => everyThird((line) => line.slice(0, -9))(inOutput(LONG)(line), at),
  "an escape that is none": everyThird(inOutput(`${LONG}\\x`)),
  "a control character": everyThird(inOutput(`${LONG}\u0000`)),
  "spaces at the end": everyThird((line) => line + " ".repeat(70)),
  "consumed": (line) => line.replace(/"output":"(?:[^"\\]|\\.)*"/, '"output":"...(consumed)"'),
};

/** The same by decoding everything. */
function exactly(text: string): Record<string, number> {
  const sums = { turns: 0, unreadable: 0, freedBytes: 0 };
  const calls = new Map<string, { bytes: number; held: boolean; consumed: boolean }>();
  for (const line of text.split("\n")) {
    const head = line.slice(0, 256);
    const isTold = kindOf(new TextEncoder().encode(line)) !== "other" || /user_message/.test(head);
    const payload = isTold ? payloadIn(line) : {};
    if (payload === undefined) {
      sums.unreadable++;
      continue;
    }
    const { type, call_id: id, output, replacement_history: kept } = payload;
    if (type === "task_started") sums.turns++;
    if (Array.isArray(kept)) {
      const ids = new Set(kept.map((item: unknown) => isObject(item) ? item.call_id : undefined));
      for (const [id, call] of calls) call.held &&= ids.has(id);
    }
    if (typeof id !== "string" || !line.includes('"type":"response_item"')) continue;
    if (/_call$/.test(String(type)) && !calls.has(id)) {
      const asked = payload.arguments ?? payload.input ?? payload.action;
      calls.set(id, { bytes: bytesOf(asked), held: true, consumed: false });
      sums.freedBytes += line.length - line.trimEnd().length;
    }
    const call = calls.get(id);
    if (call === undefined || !/_output$/.test(String(type))) continue;
    call.bytes += type === "tool_search_output" ? 0 : bytesOf(output, true);
    call.consumed ||= output === "...(consumed)" || output === "...(tool called)";
    sums.freedBytes += line.length - line.trimEnd().length;
  }
  const all = [...calls.values()];
  const held = all.filter((call) => call.held);
  return {
    ...sums,
    calls: all.length,
    heldBytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
    consumedCalls: all.filter(({ consumed }) => consumed).length,
    compactedCalls: all.length - held.length,
  };
}

function payloadIn(line: string): Record<string, unknown> | undefined {
  try {
    const { payload } = JSON.parse(line);
    return isObject(payload) ? payload : {};
  } catch {
    return undefined;
  }
}

function bytesOf(value: unknown, isOutput = false): number {
  if (typeof value === "string") return new TextEncoder().encode(value).length;
  if (!isOutput) return bytesOf(JSON.stringify(value));
  if (!Array.isArray(value)) return 0;
  return value.reduce((sum, part) => sum + (part.text === undefined ? 0 : bytesOf(part.text)), 0);
}

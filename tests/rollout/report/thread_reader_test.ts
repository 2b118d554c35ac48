import { strict as assert } from "node:assert";
import { join } from "@std/path";
import * as fc from "fast-check";
import { splice } from "../../../rollout/consume/plan.ts";
import { reportThread } from "../../../rollout/report/thread_reader.ts";
import { savingOf, sumsOf, tokensOf } from "../../../rollout/report/thread_report.ts";
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

const record = (type: string, payload: unknown) =>
  JSON.stringify({ timestamp: "2025-06-20T09:00:00.123Z", type, payload });

Deno.test("reportThread finds what was asked behind a long selection in the editor", () => {
  using file = rolloutWith([]);
  const selected = "let x = 1;\n".repeat(3000);
  const message = `# Context from my IDE setup:\n\n${selected}\n## My request for Codex:\nfix it`;
  Deno.writeTextFileSync(
    file.path,
    record("event_msg", { type: "user_message", message }) + "\n",
  );
  assert.deepEqual(reportThread(file.path).turns.map(({ prompt }) => prompt), ["fix it"]);
});

Deno.test("reportThread measures exactly what a large record holds, without decoding it whole", () => {
  const text = 'tide "é" \u{1F642}\n\\ \u0001'.repeat(4000);
  using file = rolloutWith([
    { call: "c1", output: text, arguments: JSON.stringify({ text }) },
  ]);
  const report = reportThread(file.path, { callText: 30 });
  const [call] = report.turns.flatMap((turn) => turn.calls);
  assert.equal(call?.outputBytes, new TextEncoder().encode(text).length);
  assert.equal(call?.argumentBytes, new TextEncoder().encode(JSON.stringify({ text })).length);
  assert.equal(call?.output, `${text.slice(0, 30).toWellFormed()}…`);
});

Deno.test("reportThread measures any text and any parts as they are once decoded", () => {
  const part = fc.oneof(
    fc.record({ type: fc.constant("input_text"), text: fc.string({ unit: "binary" }) }),
    fc.constant({ type: "input_image", image_url: "data:image/png;base64,AAAA" }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.array(part)), (output) => {
      using file = rolloutWith([
        record("response_item", {
          type: "function_call",
          name: "x",
          arguments: "{}",
          call_id: "c",
        }),
        record("response_item", { type: "function_call_output", call_id: "c", output }),
      ]);
      const [call] = reportThread(file.path).turns.flatMap((turn) => turn.calls);
      const texts = typeof output === "string"
        ? [output]
        : output.flatMap((one) => "text" in one ? [one.text] : []);
      const bytes = texts.reduce((n, text) => n + new TextEncoder().encode(text).length, 0);
      const images = typeof output === "string" ? 0 : output.length - texts.length;
      assert.deepEqual([call?.outputBytes, call?.images], [bytes, images]);
    }),
    { numRuns: 100 },
  );
});

Deno.test("reportThread finds the turns of codex before 0.100, which does not tell where one begins", () => {
  using file = rolloutWith([]);
  const call = (id: string, exit: number) => [
    record("response_item", {
      type: "function_call",
      name: "shell",
      arguments: "{}",
      call_id: id,
    }),
    record("response_item", {
      type: "function_call_output",
      call_id: id,
      output: JSON.stringify({
        output: "x".repeat(5000),
        metadata: { exit_code: exit, duration_seconds: 0.1 },
      }),
    }),
  ];
  Deno.writeTextFileSync(
    file.path,
    [
      record("session_meta", { id: "01a2033c-52d1-7b70-b23b-5363e2ac6ad0", cli_version: "0.80.0" }),
      record("event_msg", { type: "user_message", message: "one" }),
      ...call("c1", 0),
      record("event_msg", { type: "agent_message", message: "done one" }),
      record("event_msg", { type: "user_message", message: "two" }),
      ...call("c2", 2),
      record("event_msg", { type: "turn_aborted", reason: "interrupted" }),
    ].join("\n") + "\n",
  );
  const { turns } = reportThread(file.path);
  assert.deepEqual(turns.map(({ prompt, status }) => [prompt, status]), [
    ["one", "complete"],
    ["two", "aborted"],
  ]);
  assert.deepEqual(turns.map(({ calls }) => calls.map(({ id, failed }) => [id, failed])), [
    [["c1", false]],
    [["c2", true]],
  ]);
});

Deno.test("savingOf is what splice would take out, and nothing where it takes nothing", () => {
  const item = (payload: Record<string, unknown>) => record("response_item", payload);
  const lines = [
    item({ type: "function_call", name: "a", arguments: '{"x":1}', call_id: "text" }),
    item({ type: "function_call_output", call_id: "text", output: "x".repeat(100) }),
    item({ type: "function_call", name: "a", arguments: "{}", call_id: "small" }),
    item({ type: "function_call_output", call_id: "small", output: "ok" }),
    item({ type: "tool_search_call", arguments: { query: "x" }, call_id: "search" }),
    item({ type: "tool_search_output", call_id: "search", tools: [{ name: "x".repeat(200) }] }),
    item({ type: "custom_tool_call", name: "exec", input: "y".repeat(50), call_id: "code" }),
    item({ type: "custom_tool_call_output", call_id: "code", output: "z".repeat(60) }),
    item({ type: "custom_tool_call_output", call_id: "code", output: "k" }),
  ];
  using file = rolloutWith(lines);
  for (const op of ["consume-light", "consume-heavy"] as const) {
    const before = reportThread(file.path);
    const calls = before.turns.flatMap((turn) => turn.calls);
    const would = calls.reduce((sum, call) => sum + savingOf(call, op).bytes, 0);
    const wanted = new Map(calls.map(({ id }) => [id, op]));
    const text = Deno.readTextFileSync(file.path).split("\n").map((line) => {
      if (!line.includes("call_id")) return line;
      const spliced = splice(new TextEncoder().encode(line), wanted).line;
      return spliced === undefined ? line : new TextDecoder().decode(spliced);
    });
    Deno.writeTextFileSync(file.path, text.join("\n"));
    const after = reportThread(file.path);
    assert.equal(sumsOf(before).heldBytes - sumsOf(after).heldBytes, would, op);
    const search = calls.find(({ id }) => id === "search");
    assert.ok(search !== undefined && savingOf(search, op).bytes === 0);
  }
});

Deno.test("reportThread reads what other people's session files have and ours do not", () => {
  const at = (timestamp: string, type: string, payload: unknown) =>
    JSON.stringify({ timestamp, type, payload });
  const said = (text: string) => ({ type: "user_message", message: text });
  const call = (id: string) => ({
    type: "function_call",
    name: "shell",
    arguments: "{}",
    call_id: id,
  });
  const output = (id: string) => ({ type: "function_call_output", call_id: id, output: "out" });
  using file = rolloutWith([]);
  const id = "01a2033c-52d1-7b70-b23b-5363e2ac6ad0";
  Deno.writeTextFileSync(
    file.path,
    [
      at("2025-09-01T09:00:00Z", "session_meta", { id, cwd: "/a", cli_version: "0.60.0" }),
      at("2025-09-01T09:00:00Z", "session_meta", { id: "other", cwd: "/b", cli_version: "0.1" }),
      '{"type":"message","role":"user","content":[]}',
      '{"record_type":"state"}',
      at(
        "2025-09-01T09:00:01.123456Z",
        "event_msg",
        said(
          "# Context from my IDE setup:\n\n## Active file: a.ts\n\n## My request for Codex:\nfix it\n",
        ),
      ),
      ...["left", "kept"].flatMap((name) => [
        at("2025-09-01T09:00:02+02:00", "response_item", call(name)),
        at("2025-09-01T09:00:02+02:00", "response_item", output(name)),
      ]),
      at("2025-09-01T09:00:03Z", "compacted", {
        message: "",
        replacement_history: [call("kept"), output("kept")],
      }),
    ].join("\n") + "\n",
  );
  const { threadId, cwd, turns, unreadable } = reportThread(file.path);
  assert.deepEqual([threadId, cwd, unreadable], [id, "/a", 0]);
  assert.deepEqual(turns.map(({ prompt, startedAt }) => [prompt.trim(), startedAt]), [
    ["fix it", "2025-09-01T09:00:01.123456Z"],
  ]);
  const calls = turns.flatMap((turn) => turn.calls);
  assert.deepEqual(calls.map((one) => [one.id, one.at, one.inContext]), [
    ["left", "2025-09-01T09:00:02+02:00", false],
    ["kept", "2025-09-01T09:00:02+02:00", true],
  ]);
});

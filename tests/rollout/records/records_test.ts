import { strict as assert } from "node:assert";
import { tellsFailure } from "../../../rollout/records/events.ts";
import { kindOf } from "../../../rollout/records/line_kind.ts";
import { decodeRecord, type RolloutRecord } from "../../../rollout/records/records.ts";
import { allCaptured, captured, linesOf } from "../rollouts.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (value: unknown): RolloutRecord => decodeRecord(bytes(JSON.stringify(value)));

Deno.test("kindOf agrees with what decoding tells, on every captured line", () => {
  let judged = 0;
  for (const { version, scenario, bytes: content } of allCaptured()) {
    for (const line of linesOf(content)) {
      const kind = kindOf(bytes(line));
      const record = decodeRecord(bytes(line));
      const where = `${version}/${scenario}: ${line.slice(0, 120)}`;
      assert.notEqual(kind, "unsure", where);
      switch (record.kind) {
        case "call":
        case "output":
        case "compacted":
        case "session_meta":
        case "turn_context":
          assert.equal(kind, record.kind, where);
          break;
        case "outcome":
        case "usage":
        case "turn_aborted":
        case "task_complete":
        case "error":
          assert.equal(kind, "event", where);
          break;
        case "other":
        case "broken":
          assert.ok(kind === "other" || kind === "event", where);
      }
      judged++;
    }
  }
  assert.ok(judged > 800, `only ${judged} lines`);
});

Deno.test("kindOf is unsure of a head that codex does not write, and passes blank lines", () => {
  const line =
    '{"timestamp":"2026-11-22T12:26:37.004Z","type":"event_msg","payload":{"type":"error"}}';
  assert.equal(kindOf(bytes(line)), "event");
  for (
    const unusual of [
      ` ${line}`,
      `\uFEFF${line}`,
      line.replace('"type"', '"extra":1,"type"'),
      line.replace("37.004Z", "37Z"),
      '{"type":"event_msg"}',
      "\u0000\u0000",
      "not json",
    ]
  ) {
    assert.equal(
      kindOf(bytes(unusual)),
      unusual.startsWith("\u0000") ? "other" : "unsure",
      unusual,
    );
  }
  for (const blank of ["", "  ", "\r"]) assert.equal(kindOf(bytes(blank)), "other");
  assert.equal(kindOf(bytes(line.replace('"error"', '"errors"'))), "other");
});

Deno.test("decodeRecord gives arguments that are no string as they are written", () => {
  const line = '{"type":"response_item","payload":{"type":"tool_search_call","call_id":"c",' +
    '"arguments":{"limit": 1.50, "query":"\\u0061"}}}';
  assert.deepEqual(decodeRecord(bytes(line)), {
    kind: "call",
    form: "tool_search_call",
    id: "c",
    name: "tool_search",
    arguments: '{"limit": 1.50, "query":"\\u0061"}',
  });
});

Deno.test("decodeRecord takes a call without an id for no call", () => {
  const payload = { type: "web_search_call", status: "completed" };
  assert.deepEqual(decode({ type: "response_item", payload }), {
    kind: "other",
    type: "web_search_call",
  });
});

Deno.test("decodeRecord calls broken what is cut, not UTF-8, or not an object", () => {
  for (const broken of ['{"type":"event_m', "[]", "null", '"x"']) {
    assert.deepEqual(decodeRecord(bytes(broken)), { kind: "broken" }, broken);
  }
  const cut = bytes('{"type":"x","text":"é"}');
  cut[19] = 0xff;
  assert.deepEqual(decodeRecord(cut), { kind: "broken" });
});

Deno.test("decodeRecord reads what a failed turn says (0.169)", () => {
  const error = { message: "boom", codex_error_info: "other" };
  assert.deepEqual(
    decode({
      type: "event_msg",
      payload: { type: "task_complete", last_agent_message: null, error },
    }),
    { kind: "task_complete", error: { message: "boom", info: "other" } },
  );
});

Deno.test("decodeRecord reads lines with a byte order mark or Windows ends", () => {
  const line = '{"type":"event_msg","payload":{"type":"turn_aborted","reason":"interrupted"}}';
  const expected = { kind: "turn_aborted", reason: "interrupted" };
  assert.deepEqual(decodeRecord(bytes("\uFEFF" + line)), expected);
  assert.deepEqual(decodeRecord(bytes(line + "\r")), expected);
});

Deno.test("decodeRecord tells what counts for a turn, in the words of each version", () => {
  const common = { kind: "turn_context", cwd: "/workspace", approval: "never" };
  const cases = [
    ["0.135.0", "text", { ...common, model: "gpt-5.5", sandbox: "danger-full-access" }],
    ["0.169.0", "shell-sandbox-readonly", { ...common, model: "gpt-5.5", sandbox: "read-only" }],
  ] as const;
  for (const [version, scenario, expected] of cases) {
    const records = linesOf(captured(version, scenario).bytes).map((each) =>
      decodeRecord(bytes(each))
    );
    assert.deepEqual(records.find(({ kind }) => kind === "turn_context"), expected, version);
  }
  const payload = {
    sandbox_policy: { type: "workspace-write", writable_roots: ["/a", 7], network_access: true },
  };
  assert.deepEqual(decode({ type: "turn_context", payload }), {
    kind: "turn_context",
    sandbox: "workspace-write",
    networkAccess: true,
    writableRoots: ["/a"],
  });
  assert.deepEqual(decode({ type: "turn_context", payload: { sandbox_policy: "x", cwd: 1 } }), {
    kind: "turn_context",
  });
});

Deno.test("decodeRecord tells how full the model's context is, where codex says so", () => {
  const records = linesOf(captured("0.169.0", "shell-ok").bytes).map((each) =>
    decodeRecord(bytes(each))
  );
  const usage = records.findLast((record) => record.kind === "usage");
  assert.deepEqual(usage?.kind === "usage" && usage.context, { used: 520, window: 258_400 });
  const info = { total_token_usage: {}, last_token_usage: { total_tokens: -1 } };
  const bare = decode({ type: "event_msg", payload: { type: "token_count", info } });
  assert.equal("context" in bare, false);
});

Deno.test("decodeRecord tells a message that was sent in the middle of a turn as async", () => {
  const item = {
    type: "AgentMessage",
    content: [{ type: "Text", text: "half way" }],
    phase: "final_answer",
    delivery: "async",
  };
  assert.deepEqual(decode({ type: "event_msg", payload: { type: "item_completed", item } }), {
    kind: "message",
    text: "half way",
    phase: "async",
  });
});

Deno.test("decodeRecord knows the thread of an agent that the model started, as each codex writes it", () => {
  const activity = { kind: "started", agent_thread_id: "t_2", agent_path: "/root/kid" };
  const item = { type: "SubAgentActivity", ...activity };
  for (
    const payload of [
      { type: "item_completed", item },
      { type: "sub_agent_activity", event_id: "spawn", ...activity },
    ]
  ) {
    assert.deepEqual(decode({ type: "event_msg", payload }), {
      kind: "sub_agent",
      threadId: "t_2",
    });
    const head = `{"timestamp":"2026-11-26T20:38:13.902Z","type":"event_msg","payload":`;
    assert.equal(kindOf(new TextEncoder().encode(head + JSON.stringify(payload) + "}")), "event");
  }
  const ended = { type: "sub_agent_activity", ...activity, kind: "interrupted" };
  assert.equal(decode({ type: "event_msg", payload: ended }).kind, "other");
});

Deno.test("decodeRecord passes by lines of the first versions, which have no envelope", () => {
  for (
    const flat of [
      { id: "5973b6c0", timestamp: "2025-05-07T17:24:21.123Z", instructions: null },
      { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
      { type: "function_call", name: "shell", arguments: "{}", call_id: "c" },
      { record_type: "state" },
      { payload: {} },
    ]
  ) assert.equal(decode(flat).kind, "other", JSON.stringify(flat));
});

Deno.test("tellsFailure knows the exit code in a shell output that is JSON, and no tool's own words", () => {
  const shell = (output: string, code: number) =>
    JSON.stringify({ output, metadata: { exit_code: code, duration_seconds: 0.1 } });
  assert.equal(tellsFailure(shell("fine", 0), false), false);
  assert.equal(tellsFailure(shell("bad\n", 2), false), true);
  const said = '","metadata":{"exit_code":1,"duration_seconds":0.1}}';
  assert.equal(tellsFailure(shell(said, 0), false), false);
  assert.equal(tellsFailure(`printed ${shell("", 3)}`, false), false);
});

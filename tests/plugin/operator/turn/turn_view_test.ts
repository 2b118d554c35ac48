import { strict as assert } from "node:assert";
import { callSubject, size } from "../../../../plugin/operator/cli/terminal.ts";
import { widthOf } from "../../../../plugin/operator/cli/text.ts";
import { type TurnScreen, TurnView } from "../../../../plugin/operator/turn/turn_view.ts";
import type { TurnEvent } from "../../../../runner/turn_event.ts";
import type { TurnSummary } from "../../../../runner/turn_stream.ts";

/** Everything that was written, in order, and stdout alone. */
function screen(options: Partial<TurnScreen> = {}): TurnScreen & { all: string; stdout: string } {
  const it = {
    all: "",
    stdout: "",
    out(text: string) {
      it.all += text;
      it.stdout += text;
    },
    err(text: string) {
      it.all += text;
    },
    together: true,
    quiet: false,
    progress: { now: () => {}, clear: () => {} },
    paint: (_: string, text: string) => text,
    columns: () => 40,
    ...options,
  };
  return it;
}

const CALL: TurnEvent[] = [
  { type: "tool_call_start", id: "c1", name: "exec_command", source: "codex" },
  { type: "tool_call_end", id: "c1", arguments: `{"cmd":"cat ${"long ".repeat(20)}"}` },
];

Deno.test("TurnView keeps within the terminal's width and names answers that come late", () => {
  const it = screen();
  const view = new TurnView(it);
  for (const event of CALL) view.show(event);
  view.show({ type: "tool_call_start", id: "c2", name: "tide", source: "host" });
  view.show({ type: "tool_call_end", id: "c2", arguments: `{"place":"Hythe"}` });
  view.show({ type: "tool_result", id: "c1", output: "x\nthe end\n", is_error: true });
  view.show({ type: "tool_result", id: "c2", output: [{ text: "noon" }], is_error: false });
  const lines = it.all.trimEnd().split("\n");
  for (const line of lines) assert.ok(widthOf(line) <= 40, line);
  assert.match(lines[0] ?? "", /^→ exec_command cat long .*…$/);
  assert.match(lines[2] ?? "", /^ {2}✗ failed exec_command, 10 B, 0\.0 s/);
  assert.match(lines[3] ?? "", /^ {2}✓ 4 B, 0\.0 s {2}noon$/);
});

Deno.test("TurnView shows the model's words as they come, and its own on lines of their own", () => {
  for (const together of [true, false]) {
    const it = screen({ together });
    const view = new TurnView(it);
    for (const text of ["one ", "two", "\n\n    code --that stays"]) {
      view.show({ type: "text_delta", index: 0, text });
    }
    view.show({ type: "status", message: "\x1b[2Jreconnecting\u202e" });
    view.show({ type: "text_delta", index: 1, text: "\n\nthree" });
    const said = "one two\n\n    code --that stays";
    const note = "· \ufffd[2Jreconnecting\ufffd\n";
    assert.equal(it.all, together ? `${said}\n${note}three` : `${said}${note}\n\nthree`);
    assert.equal(it.stdout, together ? `${said}\nthree` : `${said}\n\nthree`);
  }
});

Deno.test("TurnView takes the live line away before it writes, and keeps it off the model's line", () => {
  const done: string[] = [];
  const progress = { now: (doing: string) => done.push(doing), clear: () => done.push("clear") };
  const view = new TurnView(screen({ progress }));
  view.show({ type: "text_delta", index: 0, text: "half a line" });
  view.show({ type: "status", message: "reconnecting" });
  assert.deepEqual(done, ["waiting for codex", "clear", "", "clear"]);
});

Deno.test("TurnView is quiet but for the answer, a cancel and a failure", () => {
  const it = screen({ quiet: true, columns: () => 80 });
  const view = new TurnView(it);
  view.show({ type: "message_start", model: "m", thread_id: "t", resumed: false });
  for (const event of CALL) view.show(event);
  view.show({ type: "text_delta", index: 0, text: "hello" });
  view.cancelling();
  const failure = { kind: "timeout", message: "too long", retryable: true } as const;
  view.show({ type: "error", error: failure });
  assert.equal(it.all, "hello\ncancelling ... (Ctrl-C again kills)\ntimeout: too long\n");
});

Deno.test("TurnView ends with the numbers of the turn", () => {
  const it = screen({ columns: () => 200 });
  const summary: TurnSummary = {
    agent: "a",
    model: "m",
    thread: "t",
    resumed: false,
    stop_reason: "end_turn",
    error: undefined,
    exit: undefined,
    ms_to_first_event: 210,
    ms_total: 2140,
    input_tokens: 2200,
    cached_input_tokens: 1400,
    output_tokens: 80,
    reasoning_output_tokens: 20,
    tool_calls: 1,
    host_tool_calls: 0,
    tool_errors: 0,
    tool_output_bytes: 0,
    text_bytes: 0,
  };
  new TurnView(it).close(summary);
  assert.equal(
    it.all,
    "■ end turn · 2.1 s · first event after 0.2 s · 2,200 tokens in (1,400 cached) · 80 out · 1 tool call\n",
  );
});

Deno.test("callSubject shows a command as it was, other arguments as JSON, and never an escape", () => {
  assert.equal(callSubject(`{"cmd":"ls\\n -l","x":1}`), "ls -l");
  assert.equal(callSubject(`{"command":["bash","-lc","ls"]}`), "bash -lc ls");
  assert.equal(callSubject(`{"place": "Hythe"}`), `{"place":"Hythe"}`);
  assert.equal(callSubject("not \x1b[2J json"), "not \ufffd[2J json");
});

Deno.test("size is short for people", () => {
  assert.deepEqual([0, 999, 1000, 12_345, 1_234_567, 45_000_000].map(size), [
    "0 B",
    "999 B",
    "1.0 kB",
    "12 kB",
    "1.2 MB",
    "45 MB",
  ]);
});

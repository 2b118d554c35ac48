import { strict as assert } from "node:assert";
import type { Stop } from "../../../runner/stop.ts";
import { TurnOutput } from "../../../runner/turn_output.ts";
import { type Evidence, judge, judgeStart } from "../../../runner/failure/verdict.ts";
import { type CapturedRun, capturedRun, eventsOf, followedOf } from "../captured.ts";

const ok = { code: 0, signal: undefined };

function evidence(parts: Partial<Evidence> = {}): Evidence {
  const output = parts.output ?? new TurnOutput(() => undefined);
  return {
    exit: ok,
    stop: undefined,
    refused: undefined,
    lingered: false,
    stderr: "",
    survivors: [],
    ...parts,
    output,
  };
}

function completed(): TurnOutput {
  const output = new TurnOutput(() => undefined);
  output.take({ type: "turn_completed", usage: undefined });
  return output;
}

/** What the plugin would have seen of the captured run. */
function replay(run: CapturedRun): Evidence {
  const output = new TurnOutput(() => undefined);
  for (const event of eventsOf(run)) output.take(event);
  for (const followed of followedOf(run)) output.follow(followed);
  const exit = { code: run.exitCode ?? 0, signal: run.signal };
  return evidence({ output, exit, stderr: run.stderr });
}

Deno.test("judge calls captured good turns good, also those with failed tools and reconnects", () => {
  const good = ["text", "shell-ok", "shell-fail", "patch-ok", "mcp-iserror", "empty-response"]
    .concat(["cut-midstream-retry", "http-503-once-retry", "websearch", "unknown-model"]);
  for (const version of ["0.135.0", "0.169.0"]) {
    for (const scenario of good) {
      const verdict = judge(replay(capturedRun(version, scenario)));
      assert.deepEqual(verdict, { stopReason: "end_turn" }, `${version} ${scenario}`);
    }
  }
});

Deno.test("judge calls a captured incomplete response max_tokens, which is no error", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    const verdict = judge(replay(capturedRun(version, "incomplete")));
    assert.deepEqual(verdict, { stopReason: "max_tokens" });
  }
});

Deno.test("judge never calls a captured failure good, with or without its last line", () => {
  const failures = [
    "http-401",
    "http-404",
    "http-429",
    "http-500",
    "failed-quota",
    "failed-context",
  ]
    .concat(["cut-midstream-noretry", "idle-timeout", "no-completed", "failed-invalid-prompt"]);
  for (const version of ["0.135.0", "0.169.0"]) {
    for (const scenario of failures) {
      const run = capturedRun(version, scenario);
      assert.equal(judge(replay(run)).stopReason, "error", `${version} ${scenario}`);
      // codex dies between its record of the end and its last word.
      const stdout = run.stdout.filter((line) => !line.includes('"turn.failed"'));
      const silent = judge(replay({ ...run, stdout, exitCode: undefined, signal: "SIGKILL" }));
      assert.equal(silent.stopReason, "error", `${version} ${scenario}, killed`);
    }
  }
});

Deno.test("judge lets the rollout decide where codex died before its last word", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    const run = capturedRun(version, "text");
    const stdout = run.stdout.filter((line) => !line.includes('"turn.completed"'));
    const died = { ...run, stdout, exitCode: undefined, signal: "SIGKILL" };
    assert.equal(judge(replay(died)).stopReason, "end_turn", version);
    const rollout = run.rollout.filter((line) => !line.includes('"task_complete"'));
    const { stopReason, failure } = judge(replay({ ...died, rollout }));
    assert.deepEqual([stopReason, failure?.kind, failure?.signal], ["error", "crashed", "SIGKILL"]);
  }
});

Deno.test("judge wants exit 0 after turn.completed, unless we ended a codex that lingered", () => {
  const exit = { code: 101, signal: undefined };
  assert.equal(judge(evidence({ output: completed() })).stopReason, "end_turn");
  const crashed = judge(evidence({ output: completed(), exit }));
  assert.deepEqual([crashed.stopReason, crashed.failure?.kind], ["error", "crashed"]);
  assert.equal(
    judge(evidence({ output: completed(), exit, lingered: true })).stopReason,
    "end_turn",
  );
});

Deno.test("judge calls partial text without an end a crash", () => {
  const output = new TurnOutput(() => undefined);
  output.take({ type: "message", item: "i", text: "half an ans" });
  const { stopReason, failure } = judge(evidence({ output }));
  assert.deepEqual([stopReason, failure?.kind, failure?.exit_code], ["error", "crashed", 0]);
});

Deno.test("judge says which watchdog ended a turn, and that a limit can be set", () => {
  const kinds = {
    start: "timeout",
    silence: "timeout",
    toolSilence: "timeout",
    total: "timeout",
    reconnect: "network",
  } as const;
  for (const watch of ["start", "silence", "toolSilence", "total", "reconnect"] as const) {
    const stop: Stop = { by: "watchdog", watch, limitMs: 1500 };
    for (const verdict of [judge(evidence({ stop })), judgeStart(evidence({ stop }))]) {
      assert.equal(verdict.stopReason, "error");
      assert.equal(verdict.failure?.kind, kinds[watch]);
      assert.match(verdict.failure?.detail ?? "", new RegExp(`^watchdog: ${watch}, limit 1500 ms`));
      assert.match(verdict.failure?.message ?? "", /1\.5 s/);
      assert.ok(verdict.failure?.retryable);
    }
  }
});

Deno.test("judge calls a cancelled turn cancelled, whatever codex still said", () => {
  const stop: Stop = { by: "cancel" };
  const exit = { code: 1, signal: undefined };
  for (const output of [completed(), new TurnOutput(() => undefined)]) {
    assert.deepEqual(judge(evidence({ stop, exit, output })), { stopReason: "cancelled" });
  }
  assert.deepEqual(judgeStart(evidence({ stop, exit })), { stopReason: "cancelled" });
});

Deno.test("judgeStart takes a thread that nobody asked for as a lost session", () => {
  const stop: Stop = { by: "stray", threadId: "x".repeat(500) };
  const { failure } = judgeStart(evidence({ stop }));
  assert.equal(failure?.kind, "session_lost");
  assert.ok((failure?.message.length ?? 0) < 200);
});

Deno.test("judgeStart reads stderr of captured starts that failed", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    const of = (scenario: string) =>
      judgeStart(replay(capturedRun(version, scenario))).failure?.kind;
    assert.equal(of("resume-unknown-id"), "session_lost");
    assert.equal(of("mcp-missing-required"), "mcp_unavailable");
  }
});

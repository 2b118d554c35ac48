/** Every captured failure, and what it is called. */
import { strict as assert } from "node:assert";
import { classifyFailure } from "../../../runner/failure/failure.ts";
import { INFO_KINDS } from "../../../runner/failure/failure_rows.ts";
import type { ErrorKind, Failure } from "../../../runner/turn_event.ts";
import { type CapturedRun, capturedRun, eventsOf, followedOf } from "../captured.ts";

/** What the run left behind, as the verdict hands it on. */
function failureOf(run: CapturedRun): Failure {
  const message = eventsOf(run).flatMap((e) => e.type === "turn_failed" ? [e.message] : [])[0];
  const info = followedOf(run).flatMap((e) => e.type === "error" ? [e.info] : []).at(-1);
  const { stderr, exitCode, signal } = run;
  return classifyFailure({ message, info, stderr, exitCode, signal });
}

/** Scenario → kind; with two kinds where versions differ: 0.135.0 first, then 0.169.0. */
const TABLE: [scenario: string, kinds: ErrorKind | [ErrorKind, ErrorKind], retryable: boolean][] = [
  ["http-401", "auth_required", false],
  ["http-403", "auth_required", false],
  ["http-404", "model_unavailable", false],
  ["http-429", "rate_limited", true],
  ["failed-ratelimit", "rate_limited", true],
  ["failed-quota", "quota_exhausted", false],
  ["http-400-context", "context_overflow", false],
  ["failed-context", "context_overflow", false],
  ["http-500", "server_error", true],
  ["failed-server", "server_error", true],
  ["no-completed", "server_error", true],
  ["cut-midstream-noretry", "network", true],
  ["idle-timeout", "network", true],
  ["failed-invalid-prompt", "content_refused", false],
  ["mcp-missing-required", "mcp_unavailable", true],
  ["resume-unknown-id", "session_lost", false],
];

for (const version of ["0.135.0", "0.169.0"]) {
  for (const [scenario, kinds, retryable] of TABLE) {
    const kind = typeof kinds === "string" ? kinds : kinds[version === "0.135.0" ? 0 : 1];
    Deno.test(`classifyFailure calls ${scenario} of ${version} ${kind}`, () => {
      const failure = failureOf(capturedRun(version, scenario));
      assert.deepEqual([failure.kind, failure.retryable], [kind, retryable], failure.message);
      assert.match(failure.message, /^codex: \S/);
      assert.ok(failure.hint, "says what can be done");
    });
  }
}

Deno.test("classifyFailure tells an exhausted quota apart where codex does", () => {
  // 0.135 says no more than "429 Too Many Requests".
  assert.equal(failureOf(capturedRun("0.135.0", "http-429-quota")).kind, "rate_limited");
  assert.equal(failureOf(capturedRun("0.169.0", "http-429-quota")).kind, "quota_exhausted");
});

Deno.test("classifyFailure says when a rate limit is over", () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    const { retryAfterMs } = failureOf(capturedRun(version, "failed-ratelimit"));
    assert.equal(retryAfterMs, 200);
  }
});

Deno.test("classifyFailure reads a usage limit with either apostrophe, and when it resets", () => {
  for (const apostrophe of ["'", "\u2019"]) {
    const message =
      `You${apostrophe}ve hit your usage limit. Upgrade to Pro (https://x) or try again at May 18th, 2033 3:33 AM.`;
    const { kind, resetsAt } = classifyFailure({ message, stderr: "" });
    assert.equal(kind, "quota_exhausted");
    assert.equal(resetsAt, new Date(2033, 4, 18, 3, 33).toISOString());
  }
});

Deno.test("classifyFailure knows a second writer (0.169) and a missing login variable", () => {
  assert.equal(failureOf(capturedRun("0.169.0", "resume-concurrent-second")).kind, "session_busy");
  const message = "Missing environment variable: `MY_KEY`.";
  assert.equal(classifyFailure({ message, stderr: "" }).kind, "auth_required");
});

Deno.test("classifyFailure knows how codex refuses a start", () => {
  const starts: [stderr: string, code: number, kind: ErrorKind][] = [
    ["error: unexpected argument '--nope' found\n\nUsage: codex exec", 2, "config"],
    ["Error: error loading config: bad toml", 1, "config"],
    [
      'Error finding codex home: CODEX_HOME points to "/x", but that path does not exist',
      1,
      "config",
    ],
    ["Error: thread/resume: session X is archived. Run codex unarchive X", 1, "session_lost"],
    [ // 0.146.1
      "Error: thread/resume: thread/resume failed: failed to resolve rollout path `/c/x.jsonl`: file does not exist (code -32600)",
      1,
      "session_lost",
    ],
    [
      "Error: final paginated rollout record at /c/x.jsonl is missing an ordinal",
      1,
      "session_lost",
    ],
    [
      "Error: turn/start failed: Input exceeds the maximum length of 1048576",
      1,
      "context_overflow",
    ],
  ];
  for (const [stderr, exitCode, kind] of starts) {
    const failure = classifyFailure({ stderr, exitCode });
    assert.equal(failure.kind, kind, stderr);
    assert.equal(failure.exitCode, exitCode);
  }
});

Deno.test("classifyFailure calls a death without words a crash, with the end of stderr", () => {
  const noise = "Reading additional input from stdin...\n";
  const killed = classifyFailure({ stderr: noise, signal: "SIGKILL", exitCode: 137 });
  assert.deepEqual([killed.kind, killed.signal, killed.exitCode], [
    "crashed",
    "SIGKILL",
    undefined,
  ]);
  assert.match(killed.message, /ended without finishing the turn \(signal SIGKILL\)$/);

  const stderr = `${"x".repeat(5000)}\nthread 'main' panicked at src/main.rs: broken pipe`;
  const panicked = classifyFailure({ stderr, exitCode: 101 });
  assert.deepEqual([panicked.kind, panicked.exitCode], ["crashed", 101]);
  assert.match(panicked.message, /exit code 101\): thread 'main' panicked/);
  assert.match(panicked.detail ?? "", /^…x+\nthread 'main' panicked/);
  assert.ok(new TextEncoder().encode(panicked.detail).length <= 2048);
});

Deno.test("classifyFailure does not read a cause into what a killed codex happened to log", () => {
  const stderr = "Error: 401 Unauthorized\nERROR codex_core: connection refused\n";
  assert.equal(classifyFailure({ stderr, signal: "SIGKILL" }).kind, "crashed");
  const logged = "2026-11-22T12:00:00Z ERROR codex_core::tools: request timed out\n";
  assert.equal(classifyFailure({ stderr: logged, exitCode: 1 }).kind, "crashed");
});

Deno.test("classifyFailure passes on what it has no class for, at most 2 KiB of it", () => {
  const failure = classifyFailure({ message: `strange ${"y".repeat(9000)}`, stderr: "" });
  assert.deepEqual([failure.kind, failure.retryable], ["server_error", true]);
  assert.ok(new TextEncoder().encode(failure.message).length <= 2048);
});

Deno.test("classifyFailure believes codex's own name for the error before its words", () => {
  for (const [info, kind] of Object.entries(INFO_KINDS)) {
    const failure = classifyFailure({
      message: "something 429 Too Many Requests",
      info,
      stderr: "",
    });
    assert.equal(failure.kind, kind, info);
    assert.ok(failure.hint);
  }
  const info = { http_connection_failed: { http_status_code: 401 } };
  assert.equal(classifyFailure({ message: "no", info, stderr: "" }).kind, "auth_required");
  assert.equal(
    classifyFailure({ message: "rate limit", info: "other", stderr: "" }).kind,
    "rate_limited",
  );
});

Deno.test("classifyFailure takes a refused request for the caller's, not for the server's", () => {
  const message =
    "unexpected status 400 Bad Request: Invalid schema for response_format, url: http://x";
  const { kind, retryable } = classifyFailure({ message, stderr: "" });
  assert.deepEqual([kind, retryable], ["invalid_request", false]);
});

/** Every captured failure, and what it is called. */
import { strict as assert } from "node:assert";
import { CODEX_NAMES } from "../../../runner/failure/error_words.ts";
import { classifyFailure } from "../../../runner/failure/failure.ts";
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
    const { retry_after_ms } = failureOf(capturedRun(version, "failed-ratelimit"));
    assert.equal(retry_after_ms, 200);
  }
});

Deno.test("classifyFailure reads a usage limit with either apostrophe, and when it resets", () => {
  for (const apostrophe of ["'", "\u2019"]) {
    const message =
      `You${apostrophe}ve hit your usage limit. Upgrade to Pro (https://x) or try again at May 18th, 2033 3:33 AM.`;
    const { kind, resets_at } = classifyFailure({ message, stderr: "" });
    assert.equal(kind, "quota_exhausted");
    assert.equal(resets_at, new Date(2033, 4, 18, 3, 33, 59).toISOString());
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
    [ // 0.135.0 to 0.171.0
      'Error: legacy `profile = "x"` config is no longer supported; use `--profile x` with `x.config.toml` instead',
      1,
      "config",
    ],
    [ // 0.169.0
      'Error: thread/resume: thread/resume failed: This chat uses model provider “scripted”, which is no longer configured. Restore this provider’s configuration to continue. (code -32600), data: {"type":"modelProviderNotConfigured","modelProvider":"scripted"}',
      1,
      "config",
    ],
    [
      'Error: `approval_policy = "never"` cannot be used because requirements do not allow `sandbox_mode = "danger-full-access"`; Codex would fall back to read-only permissions with approvals disabled.',
      1,
      "config",
    ],
    ["Error: Read-only file system (os error 30)", 1, "config"],
    [
      "Error: failed to initialize in-process app-server client: No space left on device (os error 28)",
      1,
      "internal",
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
    assert.equal(failure.exit_code, exitCode);
  }
});

Deno.test("classifyFailure does not take the data of an unknown start failure for the caller's fault", () => {
  const stderr = 'Error: turn/start failed: no idea (code -32603), data: {"type":"strange"}';
  const { kind, retryable } = classifyFailure({ stderr, exitCode: 1 });
  assert.deepEqual([kind, retryable], ["crashed", true]);
});

Deno.test("classifyFailure keeps where codex's config.toml is broken, and why", () => {
  const broken = `Error loading config.toml:
/c/config.toml:2:9: extra \`=\`, expected nothing
  |
2 | model = = 3
  |         ^
`;
  const { kind, message } = classifyFailure({ stderr: broken, exitCode: 1 });
  assert.equal(kind, "config");
  assert.equal(
    message,
    "codex: Error loading config.toml: /c/config.toml:2:9: extra `=`, expected nothing",
  );
  const wrong =
    "Error loading config.toml: invalid type: integer `5`, expected a string\nin `model_provider`\n";
  assert.match(classifyFailure({ stderr: wrong, exitCode: 1 }).message, / in `model_provider`$/);
  const clap = "error: unexpected argument '--nope' found\n\nUsage: codex exec\n";
  assert.match(classifyFailure({ stderr: clap, exitCode: 2 }).message, /'--nope' found$/);
});

Deno.test("classifyFailure tells a server of the host from one of the user", () => {
  const of = (server: string, why = "No such file or directory (os error 2)") =>
    classifyFailure({
      stderr:
        `Error: thread/start failed: required MCP servers failed to initialize: ${server}: ${why} (code -32603)`,
      exitCode: 1,
    });
  assert.deepEqual([of("mine").kind, of("mine").retryable], ["mcp_unavailable", true]);
  assert.equal(of("mine", "Permission denied (os error 13)").kind, "mcp_unavailable");
  assert.match(of("mine").hint ?? "", /MCP server mine of codex's own config\.toml/);
  assert.match(of("plexum_host").hint ?? "", /The host's tools/);
});

Deno.test("classifyFailure calls a death without words a crash, with the end of stderr", () => {
  const noise = "Reading additional input from stdin...\n";
  const killed = classifyFailure({ stderr: noise, signal: "SIGKILL", exitCode: 137 });
  assert.deepEqual([killed.kind, killed.signal, killed.exit_code], [
    "crashed",
    "SIGKILL",
    undefined,
  ]);
  assert.match(killed.message, /ended without finishing the turn \(signal SIGKILL\)$/);

  const stderr = `${"x".repeat(5000)}\nthread 'main' panicked at src/main.rs: broken pipe`;
  const panicked = classifyFailure({ stderr, exitCode: 101 });
  assert.deepEqual([panicked.kind, panicked.exit_code], ["crashed", 101]);
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

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

Deno.test("classifyFailure believes codex's own name before its words, in either spelling", () => {
  for (const [name, kind] of Object.entries(CODEX_NAMES)) {
    if (kind === undefined) continue;
    for (const info of [name, camel(name)]) {
      const failure = classifyFailure({ message: "something of the rate limit", info, stderr: "" });
      assert.equal(failure.kind, kind, info);
      assert.ok(failure.hint);
    }
  }
  for (const info of ["other", "a_name_of_next_year", { a_name_of_next_year: { x: 1 } }, 5, null]) {
    const { kind } = classifyFailure({ message: "rate limit exceeded", info, stderr: "" });
    assert.equal(kind, "rate_limited", JSON.stringify(info));
  }
});

const STATUSES: [status: number, kind: ErrorKind, retryable: boolean][] = [
  [400, "invalid_request", false],
  [401, "auth_required", false],
  [402, "quota_exhausted", false],
  [403, "auth_required", false],
  [404, "model_unavailable", false],
  [405, "invalid_request", false],
  [408, "network", true],
  [409, "server_error", true],
  [413, "context_overflow", false],
  [422, "invalid_request", false],
  [429, "rate_limited", true],
  [500, "server_error", true],
  [502, "server_error", true],
  [529, "server_error", true],
];

for (const [status, kind, retryable] of STATUSES) {
  Deno.test(`classifyFailure calls status ${status} ${kind}, wherever it stands`, () => {
    const url = "http://127.0.0.1:1/billing/policy/overloaded";
    const evidence = [
      { message: `unexpected status ${status} Some Words: said by it, url: ${url}` },
      { message: "said", info: { http_connection_failed: { http_status_code: status } } },
      { message: "said", info: { httpConnectionFailed: { httpStatusCode: status } } },
    ];
    for (const each of evidence) {
      const failure = classifyFailure({ ...each, stderr: "" });
      assert.deepEqual([failure.kind, failure.retryable], [kind, retryable], JSON.stringify(each));
    }
  });
}

Deno.test("classifyFailure falls back on the name where the status that it carries is missing", () => {
  const info = { http_connection_failed: { http_status_code: null } };
  assert.equal(classifyFailure({ message: "hm", info, stderr: "" }).kind, "network");
});

Deno.test("classifyFailure does not look for words in the caller's own names", () => {
  const names = ["billing_report", "get_policy", "check_overloaded", "usage limit", "rate limit"];
  for (const name of names) {
    for (const quoted of [`'${name}'`, `"${name}"`, `\`${name}\``, `“${name}”`, `‘${name}’`]) {
      const body = {
        error: { message: `Invalid schema for function ${quoted}: it's not an object` },
      };
      const { kind } = classifyFailure({
        message: JSON.stringify(body),
        stderr: "",
        info: "other",
      });
      assert.equal(kind, "invalid_request", quoted);
    }
  }
  for (const name of ["billing_report", "get_policy", "check_overloaded", "billing", "policy"]) {
    const message = `stream disconnected before completion: tool ${name} has no result`;
    const { kind } = classifyFailure({ message, ownNames: [name], stderr: "" });
    assert.equal(kind, "server_error", name);
  }
});

Deno.test("classifyFailure takes a refused picture for the request's fault, wherever codex says it", () => {
  const told = [
    // 0.135.0 to 0.171.0, while they compact a thread.
    "Image poisoning",
    "Error running remote compact task: Image poisoning",
    // `response.failed`, of which they hand on no code.
    "stream disconnected before completion: The image data you provided does not represent a valid image.",
    "stream disconnected before completion: You uploaded an unsupported image.",
  ];
  for (const message of told) {
    for (const info of [undefined, "other"]) {
      const { kind, retryable } = classifyFailure({ message, info, stderr: "" });
      assert.deepEqual([kind, retryable], ["invalid_request", false], message);
    }
  }
  assert.match(classifyFailure({ message: told[0], stderr: "" }).hint ?? "", /compact this thread/);
});

/** What the service answers, as codex hands it on. */
const BODIES: [error: Record<string, unknown>, kind: ErrorKind][] = [
  [{ code: "bio_policy", message: "said", type: "invalid_request" }, "content_refused"],
  [{ code: "misalignment_policy_violation", message: "said" }, "content_refused"],
  [{ code: "image_content_policy_violation", message: "said" }, "content_refused"],
  [{ type: "invalid_request_error", code: "context_length_exceeded" }, "context_overflow"],
  [{ type: "invalid_request_error", message: "exceeds the context window" }, "context_overflow"],
  [{ type: "invalid_request_error", code: "invalid_function_parameters" }, "invalid_request"],
  [{ type: "invalid_request_error", message: "no word of it is known" }, "invalid_request"],
  [{ message: "no word of it is known" }, "invalid_request"],
  [{ type: "usage_limit_reached", message: "the rate limit" }, "rate_limited"],
  [{ code: "flex_unavailable" }, "server_error"],
];

Deno.test("classifyFailure reads code and type of the service's answer", () => {
  for (const [error, kind] of BODIES) {
    // The second is what 0.150.1 to 0.171.0 say where the service itself compacts the thread.
    for (const before of ["", "Error running remote compact task: "]) {
      const message = before + JSON.stringify({ error });
      assert.equal(classifyFailure({ message, info: "other", stderr: "" }).kind, kind, message);
    }
  }
  const message =
    'unexpected status 402 Payment Required: {"error":{"detail":{"code":"deactivated_workspace"}}}, url: http://x';
  assert.equal(classifyFailure({ message, stderr: "" }).kind, "auth_required");
});

Deno.test("classifyFailure takes the time to try again from the attempt before, where the last is silent", () => {
  const message = "exceeded retry limit, last status: 429 Too Many Requests";
  const notice = "Reconnecting... 1/1 (rate limit exceeded: Please try again in 1.5s.)";
  assert.equal(classifyFailure({ message, notice, stderr: "" }).retry_after_ms, 1500);
  const other = classifyFailure({ message: "at capacity", notice, stderr: "" });
  assert.equal(other.retry_after_ms, undefined);
});

Deno.test("classifyFailure tells the second at which a limit resets, where codex recorded it", () => {
  const time = Date.UTC(2033, 4, 17, 18, 33, 20);
  const failure = classifyFailure({
    message: "You've hit your usage limit. Try again at May 18th, 2033 3:33 AM.",
    info: "usage_limit_exceeded",
    limitsReset: [time / 1000 - 3600, time / 1000],
    timeZone: "Asia/Tokyo",
    stderr: "",
  });
  assert.deepEqual([failure.kind, failure.resets_at], [
    "quota_exhausted",
    "2033-05-17T18:33:20.000Z",
  ]);
});

Deno.test("classifyFailure tells when a used-up limit opens, where the words name no time", () => {
  const limitOpens = Date.UTC(2133, 4, 17, 18, 33, 20) / 1000;
  const of = (limitOpens: number, info = "usage_limit_exceeded") =>
    classifyFailure({ message: "Quota exceeded.", info, limitOpens, stderr: "" }).resets_at;
  assert.equal(of(limitOpens), "2133-05-17T18:33:20.000Z");
  assert.equal(of(limitOpens, "server_overloaded"), undefined, "it failed by something else");
  for (const no of [1_000_000_000, NaN, 1e300]) assert.equal(of(no), undefined, String(no));
});

Deno.test("classifyFailure takes a refused request for the caller's, not for the server's", () => {
  const message =
    "unexpected status 400 Bad Request: Invalid schema for response_format, url: http://x";
  const { kind, retryable } = classifyFailure({ message, stderr: "" });
  assert.deepEqual([kind, retryable], ["invalid_request", false]);
});

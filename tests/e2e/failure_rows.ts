/** Every way in which a real codex is made to fail, and what the host is told of it. */
import { strict as assert } from "node:assert";
import type { ErrorBody } from "../../plugin/protocol.ts";
import { OLDEST_CODEX } from "../support/codex.ts";
import type { ScriptedStep } from "../support/model/step.ts";

/** One way. */
export interface Row {
  name: string;
  kind: ErrorBody["kind"] | ((version: string) => ErrorBody["kind"]);
  retryable: boolean;
  /** What the model does. */
  step?: ScriptedStep;
  /** More of the plugin's config. */
  config?: Record<string, unknown>;
  /** codex fails before it announces its thread: the request is refused, there are no events. */
  atStart?: boolean;
  /** Left out on these versions. */
  except?: string[];
  check?(error: ErrorBody): void;
}

/** What the service says, where the words do not matter. */
export const message = "said by the model's service";
const refusesTool = (tool: string): ScriptedStep => ({
  status: 400,
  error: { message: `Invalid schema for function '${tool}': it must be an object` },
});
/** A setting of the scripted model's provider. */
export const override = (pair: string) => ({
  extra_args: ["-c", `model_providers.scripted.${pair}`],
});

/** All of them; docs/codex.md has the same rows. */
export const ROWS: Row[] = [
  {
    name: "401",
    kind: "auth_required",
    retryable: false,
    step: { status: 401, error: { message: "Incorrect API key provided" } },
    check: ({ detail }) => assert.equal(detail, "codex login status: Not logged in"),
  },
  {
    name: "403",
    kind: "auth_required",
    retryable: false,
    step: { status: 403, error: { message } },
  },
  {
    name: "404 of the model",
    kind: "model_unavailable",
    retryable: false,
    step: { status: 404, error: { code: "model_not_found", message: "model not found" } },
  },
  {
    name: "429",
    kind: "rate_limited",
    retryable: true,
    step: { status: 429, error: { code: "rate_limit_exceeded", message } },
  },
  {
    name: "429 usage limit with the time it resets",
    kind: "quota_exhausted",
    retryable: false,
    step: {
      status: 429,
      error: { type: "usage_limit_reached", plan_type: "plus", resets_at: 2_000_000_000, message },
    },
    check: ({ resets_at }) =>
      // codex tells minutes.
      assert.equal(Math.floor(Date.parse(resets_at ?? "") / 60_000), Math.floor(2e9 / 60)),
  },
  {
    name: "429 insufficient quota",
    // Older codex tell no more than the status.
    kind: (version) => version >= "0.158" ? "quota_exhausted" : "rate_limited",
    retryable: true,
    step: { status: 429, error: { code: "insufficient_quota", message } },
  },
  {
    name: "response.failed insufficient quota",
    kind: "quota_exhausted",
    retryable: false,
    step: { failed: { code: "insufficient_quota", message } },
  },
  {
    name: "response.failed rate limit with a pause",
    kind: "rate_limited",
    retryable: true,
    step: {
      failed: {
        code: "rate_limit_exceeded",
        message: "Rate limit reached. Please try again in 0.2s.",
      },
    },
    check: ({ retry_after_ms }) => assert.equal(retry_after_ms, 200),
  },
  { name: "500", kind: "server_error", retryable: true, step: { status: 500, error: { message } } },
  { name: "503", kind: "server_error", retryable: true, step: { status: 503, error: { message } } },
  {
    name: "response.failed server error",
    kind: "server_error",
    retryable: true,
    step: { failed: { code: "server_error", message: "internal boom" } },
  },
  {
    name: "stream that ends without its closing event",
    kind: "server_error",
    retryable: true,
    step: { text: "half", cutBeforeCompleted: true },
  },
  {
    name: "400 context length",
    kind: "context_overflow",
    retryable: false,
    step: {
      status: 400,
      error: {
        type: "invalid_request_error",
        code: "context_length_exceeded",
        message: "Your input exceeds the context window of this model.",
      },
    },
  },
  {
    name: "response.failed context length",
    kind: "context_overflow",
    retryable: false,
    step: { failed: { code: "context_length_exceeded", message } },
  },
  {
    name: "400 for a schema",
    kind: "invalid_request",
    retryable: false,
    step: {
      status: 400,
      error: {
        type: "invalid_request_error",
        code: "invalid_json_schema",
        message: "Invalid schema for response_format 'codex_output_schema'",
      },
    },
  },
  {
    name: "400 for a tool called billing_report",
    kind: "invalid_request",
    retryable: false,
    step: refusesTool("billing_report"),
  },
  {
    name: "400 for a tool called get_policy",
    kind: "invalid_request",
    retryable: false,
    step: refusesTool("get_policy"),
  },
  {
    name: "400 for a tool called check_overloaded",
    kind: "invalid_request",
    retryable: false,
    step: refusesTool("check_overloaded"),
  },
  {
    name: "400 for a picture",
    kind: "invalid_request",
    retryable: false,
    step: {
      status: 400,
      error: { message: "The image data you provided does not represent a valid image" },
    },
  },
  {
    name: "response.failed for a picture",
    kind: "invalid_request",
    retryable: false,
    step: { failed: { code: "invalid_image", message: "This does not represent a valid image" } },
  },
  {
    name: "402",
    kind: "quota_exhausted",
    retryable: false,
    step: { status: 402, error: { message } },
  },
  { name: "408", kind: "network", retryable: true, step: { status: 408, error: { message } } },
  {
    name: "400 cyber_policy",
    // 0.135 knows the name, and hands on the words alone.
    kind: (version) => version < "0.150" ? "server_error" : "content_refused",
    retryable: false,
    step: { status: 400, error: { code: "cyber_policy", message } },
  },
  {
    name: "400 bio_policy",
    kind: "content_refused",
    retryable: false,
    // Their app-server has no name for it.
    except: ["0.158.0 that stays", "0.169.0 that stays"],
    step: { status: 400, error: { code: "bio_policy", message } },
  },
  {
    name: "400 misalignment_policy_violation",
    kind: "content_refused",
    retryable: false,
    step: { status: 400, error: { code: "misalignment_policy_violation", message } },
  },
  {
    name: "503 policy_capacity_unavailable",
    kind: "server_error",
    retryable: true,
    step: { status: 503, error: { code: "policy_capacity_unavailable", message } },
  },
  {
    name: "response.failed flex_unavailable",
    kind: "server_error",
    retryable: true,
    step: { failed: { code: "flex_unavailable", message } },
  },
  {
    name: "answer that the content filter ended",
    kind: "content_refused",
    retryable: false,
    step: { text: "half", incomplete: "content_filter" },
  },
  {
    name: "response.failed invalid prompt",
    kind: "content_refused",
    retryable: false,
    step: { failed: { code: "invalid_prompt", message: "flagged by our usage policy" } },
  },
  {
    name: "connection cut in the middle",
    kind: "network",
    retryable: true,
    step: { text: "a text of some length", cutAfterEvents: 4 },
  },
  {
    name: "stream that falls silent",
    kind: "network",
    retryable: true,
    step: { hang: true },
    config: override("stream_idle_timeout_ms=400"),
  },
  {
    name: "connection refused",
    kind: "network",
    retryable: true,
    config: override('base_url="http://127.0.0.1:9/v1"'),
  },
  {
    name: "reconnects without end",
    kind: "network",
    retryable: true,
    except: [OLDEST_CODEX], // gives up by itself
    config: {
      extra_args: [
        ...["-c", 'model_providers.scripted.base_url="http://127.0.0.1:9/v1"'],
        ...["-c", "features.unbounded_connection_retries=true"],
      ],
      timeouts: { reconnect_ms: 1000 },
    },
    check: ({ detail }) => assert.match(detail ?? "", /^watchdog: reconnect, limit 1000 ms/),
  },
  {
    name: "model that never answers",
    kind: "timeout",
    retryable: true,
    step: { hang: true },
    config: { timeouts: { silence_ms: 700 } },
    check: ({ detail }) => assert.match(detail ?? "", /^watchdog: silence, limit 700 ms/),
  },
  {
    name: "login variable that is not set",
    kind: "auth_required",
    retryable: false,
    config: override('env_key="NO_SUCH_KEY"'),
  },
  {
    name: "argument that codex does not know",
    kind: "config",
    retryable: false,
    atStart: true,
    config: { extra_args: ["--no-such-flag"] },
    check: ({ exit_code, message }) => {
      assert.equal(exit_code, 2);
      assert.match(message, /unexpected argument '--no-such-flag'/);
    },
  },
  {
    name: "model provider that is not configured",
    kind: "config",
    retryable: false,
    atStart: true,
    config: { extra_args: ["-c", 'model_provider="nope"'] },
  },
  {
    name: "CODEX_HOME that is not there",
    kind: "config",
    retryable: false,
    atStart: true,
    config: { env: { CODEX_HOME: "/nowhere/codex" } },
  },
];

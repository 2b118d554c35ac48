/**
 * The host's side of the wire, read from docs/protocol.md and from nowhere else: what the plugin may
 * send. It is written by hand, on purpose apart from the plugin's own schemas, so that a slip there
 * is seen here. A key too much is as wrong as a key too few.
 */
import { strict as assert } from "node:assert";
import type { EventParams, StreamResult } from "../../plugin/protocol.ts";

/** A JSON object. */
export type Fields = Record<string, unknown>;

/** The plugin broke the protocol. */
export class WireError extends Error {
  override name = "WireError";
}

/** What `initialize` answers. */
export interface InitializeResult {
  protocolVersion: string;
  serverInfo: { name: string; version: string };
  capabilities: {
    experimental: { plexum: { revision: number; manifest: Fields; features: string[] } };
  };
}

type Check = (value: unknown) => boolean;
type Shape = Record<string, Check>;

const string: Check = (value) => typeof value === "string";
const boolean: Check = (value) => typeof value === "boolean";
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const object: Check = isObject;
const uuid: Check = (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(value));
/** Empty in a turn that was cancelled before codex announced its thread. */
const thread: Check = (value) => value === "" || uuid(value);
const oneOf = (...words: string[]): Check => (value) => words.includes(String(value));
const shape = (fields: Shape): Check => (value) => problemsOf(value, fields).length === 0;

const usage: Shape = {
  input_tokens: count,
  cached_input_tokens: count,
  output_tokens: count,
  reasoning_output_tokens: count,
};
const error: Shape = {
  kind: oneOf(
    ...["config", "invalid_request", "workspace_required", "codex_missing", "codex_too_old"],
    ...["auth_required", "quota_exhausted", "rate_limited", "context_overflow"],
    ...["model_unavailable", "network", "server_error", "content_refused", "session_lost"],
    ...["session_busy", "mcp_unavailable", "timeout", "crashed", "cancelled", "internal"],
  ),
  message: (value) => typeof value === "string" && value !== "" && value.length <= 4096,
  retryable: boolean,
  "hint?": string,
  "retry_after_ms?": count,
  "resets_at?": (value) => !Number.isNaN(Date.parse(String(value))),
  "exit_code?": count,
  "signal?": string,
  "detail?": (value) => typeof value === "string" && value.length <= 2048,
};
const end: Shape = {
  stop_reason: oneOf("end_turn", "max_tokens", "cancelled", "error"),
  usage: shape(usage),
  thread_id: uuid,
  "context?": shape({ used: count, window: count }),
};

const EVENTS: Record<string, Shape> = {
  message_start: { model: string, thread_id: uuid, resumed: boolean },
  text_delta: {
    index: count,
    text: string,
    "phase?": oneOf("commentary", "final_answer", "async"),
  },
  text_retracted: { index: count },
  thinking_delta: { index: count, text: string },
  tool_call_start: {
    id: string,
    name: string,
    "namespace?": string,
    source: oneOf("host", "codex"),
  },
  tool_call_end: { id: string, arguments: string },
  tool_result: {
    id: string,
    output: (value) => typeof value === "string" || Array.isArray(value),
    is_error: boolean,
    "part?": count,
  },
  status: { message: string, "data?": object },
  error: { error: shape(error) },
  message_end: { ...end, thread_id: thread },
};

/** Throws AssertionError unless this is a frame that a plugin may send. */
export function checkFrame(frame: unknown): asserts frame is Fields {
  assert.ok(isObject(frame), `a frame must be one object: ${show(frame)}`);
  assert.equal(frame["jsonrpc"], "2.0", `a frame must say jsonrpc 2.0: ${show(frame)}`);
  const request: Shape = { jsonrpc: string, "id?": isId, method: string, "params?": object };
  const failure: Shape = { code: Number.isSafeInteger, message: string, "data?": () => true };
  const answer: Shape = "error" in frame
    ? { jsonrpc: string, id: (value) => value === null || isId(value), error: shape(failure) }
    : { jsonrpc: string, id: isId, result: () => true };
  check(frame, "method" in frame ? request : answer, "frame");
}

/** Throws AssertionError unless this is the result of `initialize`. */
export function checkInitialize(result: unknown): asserts result is InitializeResult {
  const models: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(string);
  const manifest: Shape = {
    name: oneOf("plexum-openai-provider"),
    version: string,
    activation: oneOf("lazy"),
    executable: oneOf("plexum-openai-provider-plugin"),
    contracts: shape({ provider: shape({ models }) }),
  };
  const plexum: Shape = {
    revision: (value) => value === 2,
    manifest: shape(manifest),
    features: (value) => Array.isArray(value) && value.every(string),
  };
  check(result, {
    protocolVersion: oneOf("2025-06-18"),
    serverInfo: shape({ name: oneOf("plexum-openai-provider"), version: string }),
    capabilities: shape({
      tools: object,
      logging: object,
      experimental: shape({ plexum: shape(plexum) }),
    }),
  }, "result of initialize");
}

/** The params of `notifications/plexum/provider/event`; throws AssertionError when they are wrong. */
export function checkEventParams(params: unknown): EventParams {
  check(params, { request_id: isId, seq: count, event: object }, "event notification");
  const known = params as EventParams; // its frame is checked above, its event below
  checkEvent(known.event);
  return known;
}

function checkEvent(event: unknown): void {
  const type = isObject(event) ? String(event["type"]) : "";
  const fields = EVENTS[type];
  assert.ok(fields, `unknown event type: ${show(event)}`);
  const extra = type === "error" && isObject(event) ? problemsOf(event["error"], error) : [];
  assert.deepEqual(extra, [], `wrong error body: ${show(event)}`);
  check(event, { type: string, ...fields }, type);
}

/** The result of a stream request; throws AssertionError when it is wrong. */
export function checkStreamResult(result: unknown): StreamResult {
  check(result, end, "result of plexum/provider/stream");
  return result as StreamResult;
}

/** Throws AssertionError unless this is what `plexum/host/tool/call` carries. */
export function checkHostToolCall(params: unknown): void {
  check(params, {
    agent_id: string,
    "session_id?": string,
    request_id: isId,
    "call_id?": string,
    "thread_id?": string,
    name: string,
    arguments: object,
  }, "plexum/host/tool/call");
}

/** The params of a log notification; throws AssertionError when they are wrong. */
export function checkLog(params: unknown): Fields {
  const named: Check = (data) => isObject(data) && typeof data["msg"] === "string";
  check(params, { level: string, logger: string, data: named }, "log");
  return params as Fields;
}

/** Whether the value is a JSON object. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): boolean {
  return typeof value === "string" || Number.isSafeInteger(value);
}

function check(value: unknown, fields: Shape, what: string): void {
  const problems = problemsOf(value, fields);
  assert.equal(problems.length, 0, `wrong ${what}: ${problems.join("; ")} in ${show(value)}`);
}

function problemsOf(value: unknown, fields: Shape): string[] {
  if (!isObject(value)) return ["not an object"];
  const allowed = new Set(Object.keys(fields).map((key) => key.replace("?", "")));
  const extra = Object.keys(value).filter((key) => !allowed.has(key));
  const bad = Object.entries(fields).filter(([key, check]) => {
    const name = key.replace("?", "");
    return name in value ? !check(value[name]) : name === key;
  });
  return [
    ...extra.map((key) => `unexpected ${key}`),
    ...bad.map(([key]) => `bad or missing ${key}`),
  ];
}

/** JSON for a message, cut to a length a person reads. */
export function show(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 600);
}

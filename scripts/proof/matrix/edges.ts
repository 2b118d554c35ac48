/**
 * Scenarios of what is rare, large or refused: many tools, schemas that codex does not take as they are,
 * numbers that JavaScript cannot hold, a thread that changes its transport; and a model that refuses, of
 * which the host must learn why, in the same words on every version.
 */
import { strict as assert } from "node:assert";
import { type ErrorBody, METHOD, type Tool } from "../../../plugin/protocol.ts";
import type { ScriptedItem } from "../../../tests/support/model/items.ts";
import { callOutput } from "../../../tests/support/model/request.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import type { Play, Scenario } from "./run.ts";
import { resultOf } from "./tools.ts";
import type { ScriptedStep } from "../../../tests/support/model/step.ts";

const object = (properties: Record<string, unknown> = {}) => ({ type: "object", properties });

/** The model's call of a host tool; `args` is a value, or the JSON itself. */
function callOf(name: string, args: unknown): ScriptedItem {
  const namespace = "mcp__plexum_host";
  name = name.replaceAll(".", "_");
  return { type: "function_call", namespace, name, args, call_id: "call_e" };
}

/** Plays a call of `name` with `args`, offered among `tools`; what the host was asked. */
async function called(lab: Lab, tools: Tool[], name: string, args: unknown): Promise<unknown[]> {
  const calls: unknown[] = [];
  lab.host.onRequest(METHOD.hostToolCall, (params) => {
    calls.push(params["name"], params["arguments"]);
    return { content: [{ type: "text", text: "heard" }] };
  });
  const { turn } = await lab.succeed("call it", {
    tools,
    steps: [{ items: [callOf(name, args)] }, { text: "called" }],
  });
  assert.match(resultOf(turn, "call_e").output, /heard/);
  return calls;
}

/** More tools than anybody has. */
export const manyTools: Scenario = {
  name: "many-tools",
  promise: "the last of 150 host tools is called like the first",
  async play(lab) {
    const tools = Array.from({ length: 150 }, (_, n) => ({
      name: `tool.${n}`,
      description: `Number ${n}.`,
      inputSchema: object(),
    }));
    assert.deepEqual(await called(lab, tools, "tool.149", {}), ["tool.149", {}]);
  },
};

/** A schema with combinators and references. */
export const toolSchema: Scenario = {
  name: "tool-schema",
  promise:
    "a host tool with `oneOf`, `allOf`, `$ref` and `enum` in its schema is offered and called",
  async play(lab) {
    const inputSchema = {
      ...object({
        where: { oneOf: [{ type: "string" }, { $ref: "#/$defs/point" }] },
        how: { allOf: [{ type: "string" }, { enum: ["fast", "slow"] }] },
      }),
      $defs: { point: object({ x: { type: "number" } }) },
    };
    const args = { where: { x: 1.5 }, how: "fast" };
    const tools = [{ name: "go", description: "Goes.", inputSchema }];
    assert.deepEqual(await called(lab, tools, "go", args), ["go", args]);
  },
};

/** Numbers above 2^53, key order and `1.0`, as every codex hands them to a host's tool. */
export const EXACT =
  '{"id":9007199254740993,"snowflake":1234567890123456789,"d":1.0,"b":{"z":1,"a":2}}';
// ES2025's JSON has it; the type library does not know it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
/** Numbers that another JSON would write in another way. */
const NUMBERS = ["9007199254740993", "1E2", "-0", "2.0"];

/** Numbers that JavaScript cannot hold. */
export const exactNumbers: Scenario = {
  name: "exact-numbers",
  promise: "the host sees a call's arguments, and the model a structured result, digit by digit",
  async play(lab) {
    const frames: string[] = [];
    lab.host.onRequest(METHOD.hostToolCall, (_params, _signal, frame) => {
      frames.push(frame);
      const content = [{ type: "text", text: "in words" }];
      return { content, structuredContent: { numbers: NUMBERS.map(rawJSON) } };
    });
    const { turn, asked } = await lab.succeed("call it", {
      tools: [{ name: "value", inputSchema: object() }],
      steps: [{ items: [callOf("value", EXACT)] }, { text: "called" }],
    });
    assert.equal(turn.of("tool_call_end")[0]?.arguments, EXACT);
    assert.equal(frames.length, 1);
    assert.ok(frames[0]?.includes(`"arguments":${EXACT}`), frames[0]);
    const seen = callOutput(asked[1] ?? assert.fail(), "call_e") ?? "";
    // Up to 0.150 the parts stand as JSON in the output's text.
    assert.ok(seen.replaceAll("\\", "").includes(`{"numbers":[${NUMBERS}]}`), seen);
    assert.match(seen, /in words/);
  },
};

/** The service refuses what was asked; the kind that the host is told. The thread goes on. */
async function refusedFor(lab: Lab, kind: string): Promise<void> {
  const { turn, end } = await lab.play("something bad", {
    steps: [{ status: 400, error: { code: "cyber_policy", message: "not this" } }],
  });
  assert.equal(end.stop_reason, "error");
  const [event] = turn.of("error");
  assert.equal(event?.error.kind, kind, turn.story());
  assert.match(event?.error.message ?? "", /not this/);
  const next = await lab.succeed("something good");
  assert.equal(next.turn.of("message_start")[0]?.resumed, true);
}

/** The model's service will not answer this. */
export const refusedContent: Scenario = {
  name: "refused-content",
  promise: "`content_refused`, and the thread goes on",
  play: (lab) => refusedFor(lab, "content_refused"),
};

/** Where codex keeps the service's name for it to itself. */
export const refusedWithoutName: Play = (lab) => refusedFor(lab, "server_error");

/** The operator changes how codex is run. */
export const acrossTransports: Scenario = {
  name: "across-transports",
  promise: "a thread goes on when the operator changes how codex is run, there and back",
  async play(lab) {
    const first = await lab.succeed("remember the heron");
    for (const transport of ["app-server", "exec"]) {
      await lab.sandbox.configure({ transport });
      await lab.restart();
      const { end, asked } = await lab.succeed(`over ${transport}`);
      assert.equal(end.thread_id, first.end.thread_id);
      assert.match(JSON.stringify(asked[0]?.input), /remember the heron/);
    }
  },
};

/** Plays a turn that the model refuses; what the host is told of it. */
async function refused(lab: Lab, step: ScriptedStep, workspace?: string): Promise<ErrorBody> {
  const { turn, end } = await lab.play("hello", { steps: [step], workspace });
  assert.equal(end.stop_reason, "error");
  const [event, ...more] = turn.of("error");
  assert.ok(event !== undefined && more.length === 0, turn.story());
  return event.error;
}

/** The next turn goes on with the same thread. */
async function worksAgain(lab: Lab): Promise<void> {
  const { turn } = await lab.succeed("and now?", { steps: [{ text: "back" }] });
  assert.equal(turn.of("message_start")[0]?.resumed, true);
  assert.equal(turn.text, "back");
}

/** 401. */
export const authFailure: Scenario = {
  name: "auth-failure",
  promise: "`auth_required` with codex's own word on its login",
  async play(lab) {
    const error = { code: "invalid_api_key", message: "Incorrect API key provided" };
    const { kind, retryable, detail } = await refused(lab, { status: 401, error });
    assert.deepEqual([kind, retryable], ["auth_required", false]);
    assert.match(detail ?? "", /not logged in/i);
    await worksAgain(lab);
  },
};

/** A used-up plan. */
export const quota: Scenario = {
  name: "quota",
  promise: "`quota_exhausted`, with the time it resets where codex tells it",
  async play(lab) {
    const resets_at = 2_000_000_000;
    const limit = { type: "usage_limit_reached", plan_type: "plus", resets_at, message: "limit" };
    const reached = await refused(lab, { status: 429, error: limit });
    assert.deepEqual([reached.kind, reached.retryable], ["quota_exhausted", false]);
    const minute = Math.floor(Date.parse(reached.resets_at ?? "") / 60_000);
    assert.equal(minute, Math.floor(resets_at / 60), "codex tells minutes");
    await worksAgain(lab);
  },
};

/** A conversation that does not fit. */
export const contextOverflow: Scenario = {
  name: "context-overflow",
  promise: "`context_overflow`, whether the model's service says so by status or in the stream",
  async play(lab) {
    const message = "Your input exceeds the context window of this model.";
    const code = "context_length_exceeded";
    const other = await lab.sandbox.newWorkspace("other");
    for (
      const { kind, retryable } of [
        await refused(lab, { status: 400, error: { code, message } }),
        await refused(lab, { failed: { code, message } }, other),
      ]
    ) assert.deepEqual([kind, retryable], ["context_overflow", false]);
  },
};

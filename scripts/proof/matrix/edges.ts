/**
 * Scenarios of what is rare and large: many tools, schemas that codex does not take as they are, a
 * thread that changes its transport, content that is refused, messages that nobody waits for.
 *
 * @module
 */
import { strict as assert } from "node:assert";
import { METHOD, type Tool } from "../../../plugin/protocol.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import type { Play, Scenario } from "./scenario.ts";
import { resultOf } from "./tools.ts";

const object = (properties: Record<string, unknown> = {}) => ({ type: "object", properties });

/** Plays a call of `name` with `args`, offered among `tools`; what the host was asked. */
async function called(lab: Lab, tools: Tool[], name: string, args: unknown): Promise<unknown[]> {
  const calls: unknown[] = [];
  lab.host.onRequest(METHOD.hostToolCall, (params) => {
    calls.push(params["name"], params["arguments"]);
    return { content: [{ type: "text", text: "heard" }] };
  });
  const { turn } = await lab.succeed("call it", {
    tools,
    steps: [
      {
        items: [{
          ...{ type: "function_call", namespace: "mcp__plexum_host", call_id: "call_e" },
          ...{ name: name.replaceAll(".", "_"), args },
        }],
      },
      { text: "called" },
    ],
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

/**
 * Sentences about values of the wrong shape: where, what was expected, what was found.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import * as z from "zod/mini";
import {
  HostToolCallResult,
  MutateParams,
  SetLevelParams,
  StreamEvent,
  StreamParams,
} from "../../plugin/protocol.ts";
import { wireKeys } from "../../plugin/session.ts";
import { describeShapeError, nearest } from "../../plugin/shape_error.ts";

function complaint(schema: z.ZodMiniType, value: unknown): string {
  const parsed = z.safeParse(schema, value);
  assert.ok(!parsed.success, `accepted: ${JSON.stringify(parsed.data)}`);
  return describeShapeError(parsed.error.issues, value);
}

const says = (content: unknown) => ({ request: { messages: [{ role: "user", content }] } });
const CONTENT = "request.messages[0].content";
const TYPES = '"text", "thinking", "tool_use", "tool_result", "image"';

const CASES: [z.ZodMiniType, unknown, string][] = [
  [StreamParams, {}, "request: expected object, found nothing"],
  [StreamParams, [], "the value: expected object, found array"],
  [StreamParams, { request: {} }, "request.messages: expected array, found nothing"],
  [
    StreamParams,
    { request: { messages: [{ role: 1 }] } },
    "request.messages[0].role: expected string, found number 1",
  ],
  [StreamParams, says(5), `${CONTENT}: expected string or array, found number 5`],
  [StreamParams, says({}), `${CONTENT}: expected string or array, found object`],
  [StreamParams, says(["x"]), `${CONTENT}[0]: expected object, found string "x"`],
  [StreamParams, says([{ type: "text" }]), `${CONTENT}[0].text: expected string, found nothing`],
  [StreamParams, says([{}]), `${CONTENT}[0].type: expected one of ${TYPES}, found nothing`],
  [
    StreamParams,
    { request: { messages: [], tools: [{ name: "" }] } },
    'request.tools[0].name: expected text of at least 1 character, found string ""',
  ],
  [
    MutateParams,
    { agent_id: "a", workspace: "/w", mutations: [{ block_id: "b" }] },
    "mutations[0].op: expected string, found nothing",
  ],
  [
    SetLevelParams,
    { level: "loud" },
    'level: expected one of "debug", "info", "notice", "warning", "error", "critical", "alert", ' +
    '"emergency", found string "loud"',
  ],
  [HostToolCallResult, { content: [{}] }, "content[0].type: expected string, found nothing"],
  [z.object({ "a.b": z.string() }), { "a.b": 1 }, '["a.b"]: expected string, found number 1'],
  [z.array(z.string()), [1], "[0]: expected string, found number 1"],
  [
    z.number(),
    "x".repeat(100),
    `the value: expected number, found string "${"x".repeat(56)}…`,
  ],
  [z.int().check(z.minimum(1)), 0, "the value: expected at least 1, found number 0"],
  [z.int().check(z.maximum(1)), 2, "the value: expected at most 1, found number 2"],
  [z.int(), 1.5, "the value: expected a whole number, found number 1.5"],
];

for (const [schema, value, message] of CASES) {
  Deno.test(`shape error says: ${message}`, () => {
    assert.equal(complaint(schema, value), message);
  });
}

Deno.test("shape error is one sentence for whatever a host may send", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    for (const schema of [StreamParams, MutateParams, SetLevelParams, StreamEvent]) {
      const given = wireKeys(value);
      const parsed = z.safeParse(schema, given);
      if (parsed.success) continue;
      const message = describeShapeError(parsed.error.issues, given);
      assert.match(message, /^.+: expected .+, found .+$/s);
    }
  }));
});

const KNOWN = ["binary", "env", "extra_args", "mcp-host", "--version", "tool_timeout_ms", "models"];

for (
  const [name, meant] of Object.entries({
    biary: "binary",
    Binary: "binary",
    extraArgs: "extra_args",
    "extra-arg": "extra_args",
    mcphost: "mcp-host",
    verison: "--version",
    "-version": "--version",
    model: "models",
    toolTimeout: "tool_timeout_ms",
    a: undefined,
    v: undefined,
    "": undefined,
    quite_something_else: undefined,
  })
) {
  Deno.test(`nearest of ${JSON.stringify(name)} is ${meant}`, () => {
    assert.equal(nearest(name, KNOWN), meant);
  });
}

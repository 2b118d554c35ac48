/** What a host may write: both spellings, unknown things, and nulls. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import * as z from "zod/mini";
import { MutateParams, StreamParams } from "../../plugin/protocol.ts";
import { wireKeys } from "../../plugin/session.ts";

function parsed<T extends z.ZodMiniType>(schema: T, value: unknown): z.infer<T> {
  return z.parse(schema, wireKeys(value));
}

Deno.test("params in camelCase are the same as in snake_case", () => {
  const snake = {
    model: "codex",
    agent: { agent_id: "cx", workspace: "/w" },
    session_id: "s",
    request: {
      messages: [{
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t", content: "x", is_error: true },
          { type: "image", data_base64: "AA==", media_type: "image/png" },
        ],
      }],
      tools: [{ name: "n", inputSchema: { type: "object" } }],
      output_schema: { type: "object" },
      max_tokens: 5,
    },
  };
  const camel = {
    model: "codex",
    agent: { agentId: "cx", workspace: "/w" },
    sessionId: "s",
    request: {
      messages: [{
        role: "user",
        content: [
          { type: "tool_result", toolUseId: "t", content: "x", isError: true },
          { type: "image", dataBase64: "AA==", mediaType: "image/png" },
        ],
      }],
      tools: [{ name: "n", input_schema: { type: "object" } }],
      outputSchema: { type: "object" },
      maxTokens: 5,
    },
  };
  assert.deepEqual(parsed(StreamParams, camel), parsed(StreamParams, snake));
  assert.deepEqual(
    parsed(MutateParams, { agentId: "a", workspace: "/w", mutations: [{ blockId: "b", op: "o" }] }),
    { agent_id: "a", workspace: "/w", mutations: [{ block_id: "b", op: "o" }] },
  );
});

Deno.test("params with a key in both spellings are read as documented", () => {
  const both = { agentId: "camel", agent_id: "snake" };
  assert.deepEqual(wireKeys(both), { agent_id: "snake" });
});

Deno.test("params keep what belongs to the host or the model as it is", () => {
  const own = { agentId: 1, isError: null, toolUseId: { maxTokens: 2 } };
  const value = {
    request: {
      messages: [{
        role: "assistant",
        content: [{ type: "tool_use", id: "i", name: "n", input: own }],
      }],
      tools: [{ name: "n", inputSchema: own, annotations: own }],
      output_schema: own,
    },
    _meta: own,
  };
  assert.deepEqual(wireKeys(value), value);
});

Deno.test("params may have unknown fields, blocks and roles", () => {
  const value = {
    novelty: 1,
    request: {
      messages: [
        { role: "system", content: "x", weight: 2 },
        { role: "user", content: [{ type: "video", frames: [] }, { type: "text", text: "t" }] },
      ],
      temperature: 0,
    },
  };
  assert.deepEqual(parsed(StreamParams, value), value);
});

Deno.test("params take null for absent", () => {
  const value = {
    model: null,
    agent: null,
    session_id: null,
    request: {
      messages: [{ role: "user", content: null }, {
        role: "user",
        content: [{ type: "image", url: null }],
      }],
      tools: null,
      system: null,
      output_schema: null,
      max_tokens: null,
    },
  };
  assert.deepEqual(parsed(StreamParams, value), {
    request: {
      messages: [{ role: "user" }, { role: "user", content: [{ type: "image" }] }],
    },
  });
});

Deno.test("spelling of whatever comes in is settled once, and never reaches a prototype", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const once = wireKeys(value);
    assert.deepEqual(wireKeys(once), once);
  }));
  const hostile = JSON.parse('{"__proto__": {"agent_id": "x"}, "constructor": {"agentId": "y"}}');
  const settled = wireKeys(hostile) as Record<string, unknown>;
  assert.equal(settled.agent_id, undefined);
  assert.deepEqual(Object.keys(settled), ["__proto__", "constructor"]);
});

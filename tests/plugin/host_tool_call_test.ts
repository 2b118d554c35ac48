/** A call of the host's own tool: what the host is asked, and what codex gets. */
import { strict as assert } from "node:assert";
import { hostToolCaller } from "../../plugin/host_tool_call.ts";

const { signal } = new AbortController();

function caller(answer: unknown, asked: unknown[] = []) {
  const peer = {
    request: (method: string, params: unknown, signal?: AbortSignal) => {
      asked.push({ method, params, signal });
      return Promise.resolve(answer);
    },
  };
  return hostToolCaller(peer, { agent_id: "cx", session_id: "s_1", request_id: 7 });
}

Deno.test("host tool call names the turn, the call and the host's own tool", async () => {
  const asked: unknown[] = [];
  const call = caller({ content: [{ type: "text", text: "found" }] }, asked);
  const result = await call({ callId: "call_1", name: "my-search", arguments: { q: 1 }, signal });
  assert.deepEqual(result, { content: [{ type: "text", text: "found" }] });
  assert.deepEqual(asked, [{
    method: "plexum/host/tool/call",
    params: {
      agent_id: "cx",
      session_id: "s_1",
      request_id: 7,
      call_id: "call_1",
      name: "my-search",
      arguments: { q: 1 },
    },
    signal,
  }]);
});

Deno.test("host tool result may leave out its content, or say null for what is not there", async () => {
  const cases: [answer: unknown, result: unknown][] = [
    [{}, { content: [] }],
    [{ content: null, isError: null }, { content: [] }],
    [{ isError: true, content: [] }, { isError: true, content: [] }],
    [
      { structuredContent: { a: null }, extra: 1 },
      { content: [], structuredContent: { a: null }, extra: 1 },
    ],
  ];
  for (const [answer, result] of cases) {
    assert.deepEqual(await caller(answer)({ name: "n", arguments: {}, signal }), result);
  }
});

Deno.test("host tool call refuses an answer that is no tool result", async () => {
  for (const answer of [null, "text", [], { content: "text" }, { content: [{}] }]) {
    await assert.rejects(
      caller(answer)({ name: "search", arguments: {}, signal }),
      /^Error: the host answered search with something that is no tool result$/,
    );
  }
});

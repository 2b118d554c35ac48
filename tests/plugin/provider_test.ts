/**
 * A call of the host's own tool: what the host is asked, and what codex gets.
 */
import { strict as assert } from "node:assert";
import { RawJson, stringify } from "../../base/raw_json.ts";
import { hostToolCaller } from "../../plugin/provider.ts";

const { signal } = new AbortController();

function caller(answer: string, asked: string[] = []) {
  const peer = {
    request: (method: string, params: unknown) => {
      asked.push(stringify({ method, params }));
      return Promise.resolve(new RawJson(answer));
    },
  };
  return hostToolCaller(peer, { agent_id: "cx", session_id: "s_1", request_id: 7 });
}

Deno.test("host tool call names the turn, the call and the host's own tool, arguments as written", async () => {
  const asked: string[] = [];
  const call = caller('{"content":[{"type":"text","text":"found"}]}', asked);
  const args = new RawJson('{"id":9007199254740993, "z":-0,"e":1E2,"id":1.0}');
  await call({ callId: "call_1", threadId: "t", name: "my-search", arguments: args, signal });
  assert.deepEqual(asked, [
    '{"method":"plexum/host/tool/call","params":{"agent_id":"cx","session_id":"s_1",' +
    `"request_id":7,"call_id":"call_1","thread_id":"t","name":"my-search","arguments":${args.text}}}`,
  ]);
});

Deno.test("host tool result is passed on as it was written, also one that leaves things out", async () => {
  const answers = [
    "{}",
    '{"content":null, "isError":null}',
    '{"isError":true,"content":[]}',
    '{"structuredContent":{"a":null,"n":12345678901234567890},"extra":1}',
  ];
  for (const answer of answers) {
    const result = await caller(answer)({ name: "n", arguments: RawJson.of({}), signal });
    assert.equal(result.text, answer);
  }
});

Deno.test("host tool call refuses an answer that is no tool result", async () => {
  for (const answer of ["null", '"text"', "[]", '{"content":"text"}', '{"content":[{}]}']) {
    await assert.rejects(
      caller(answer)({ name: "search", arguments: RawJson.of({}), signal }),
      /^Error: the host answered search with something that is not a tool result$/,
    );
  }
});

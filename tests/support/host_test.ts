/** The reference host is only worth something when it notices what breaks the protocol. */
import { strict as assert } from "node:assert";
import { type Host, startHost, typesOf } from "./host.ts";
import { RpcError } from "./rpc_error.ts";

const THREAD = "019a0000-0000-7000-8000-000000000001";
const USAGE = {
  input_tokens: 1,
  cached_input_tokens: 0,
  output_tokens: 1,
  reasoning_output_tokens: 0,
};
const START = { type: "message_start", model: "codex", thread_id: THREAD, resumed: false };
const END = { type: "message_end", stop_reason: "end_turn", usage: USAGE, thread_id: THREAD };
const RESULT = { stop_reason: "end_turn", usage: USAGE, thread_id: THREAD };

/** A plugin that prints these lines once a first line came in, and ends at EOF. */
function plugin(lines: unknown[], exit = 0): Promise<Host> {
  const program = `
    process.stdin.once("data", () => process.stdout.write(process.env.LINES));
    process.stdin.on("end", () => process.exit(${exit}));`;
  const text = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line));
  return startHost({
    command: { command: "node", args: ["-e", program] },
    env: { PATH: Deno.env.get("PATH") ?? "", LINES: text.map((line) => line + "\n").join("") },
  });
}

function turnOf(events: unknown[], result: unknown = RESULT): unknown[] {
  const frames = events.map((event, seq) => ({
    jsonrpc: "2.0",
    method: "notifications/plexum/provider/event",
    params: { request_id: 1, seq, event },
  }));
  return [...frames, { jsonrpc: "2.0", id: 1, result }];
}

/** Runs a turn against such a plugin and expects it, and the end of the host, to fail. */
async function refuses(lines: unknown[], message: RegExp): Promise<void> {
  const host = await plugin(lines);
  await assert.rejects(host.stream({}).result, message);
  await assert.rejects(host[Symbol.asyncDispose](), message);
}

Deno.test("host takes in a turn that keeps to the protocol", async () => {
  const call = { id: "c1", name: "shell", source: "codex" };
  const events = [
    START,
    { type: "text_delta", index: 0, text: "one" },
    { type: "tool_call_start", ...call },
    { type: "tool_call_end", id: "c1", arguments: "{}" },
    { type: "tool_result", id: "c1", output: "ok", is_error: false },
    { type: "text_delta", index: 1, text: "\n\ntwo\u2028three" },
    END,
  ];
  await using host = await plugin(turnOf(events));
  const turn = host.stream({});
  assert.deepEqual(await turn.result, RESULT);
  assert.equal(turn.text, "one\n\ntwo\u2028three");
  assert.deepEqual(typesOf(turn.seen), events.map((event) => event.type));
  assert.equal((await turn.until("tool_result")).output, "ok");
});

Deno.test("host refuses events out of order, too many or unknown", async () => {
  const text = { type: "text_delta", index: 0, text: "x" };
  await refuses(turnOf([text, END]), /message_start is first/);
  await refuses(turnOf([START, END, text]), /event after message_end/);
  await refuses(turnOf([START, { ...text, index: 1 }, END]), /text index jumps/);
  await refuses(turnOf([START, { type: "novelty" }, END]), /unknown event type/);
  await refuses(turnOf([START, { ...text, extra: 1 }, END]), /unexpected extra/);
  await refuses(turnOf([START]), /the result comes after message_end/);
  await refuses(turnOf([START, END], { ...RESULT, stop_reason: "error" }), /repeats message_end/);
  const gap = turnOf([START, END]);
  gap.splice(0, 1);
  await refuses(gap, /numbered without gaps/);
});

Deno.test("host refuses calls that are not begun, ended and answered", async () => {
  const begun = { type: "tool_call_start", id: "c", name: "n", source: "host" };
  const ended = { type: "tool_call_end", id: "c", arguments: "{}" };
  const answered = { type: "tool_result", id: "c", output: "", is_error: false };
  await refuses(turnOf([START, answered, END]), /result before the end of its call/);
  await refuses(turnOf([START, begun, ended, END]), /every call has its end and a result/);
  await refuses(turnOf([START, begun, ended, answered, answered, END]), /parts from 0/);
  await refuses(turnOf([START, begun, begun]), /call came before/);
});

Deno.test("host refuses lines that are no frames", async () => {
  await refuses(["hello, I am a log line"], /not valid JSON|Unexpected token/);
  await refuses([[]], /a frame must be one object/);
  await refuses([{ id: 1, result: {} }], /jsonrpc 2.0/);
  await refuses([{ jsonrpc: "2.0", id: 99, result: {} }], /nobody asked/);
});

Deno.test("host hands on an error answer and notices a bad exit", async () => {
  const error = { code: -32000, message: "no workspace", data: { kind: "workspace_required" } };
  const host = await plugin([{ jsonrpc: "2.0", id: 1, error }], 3);
  await assert.rejects(host.stream({}).result, (thrown: RpcError) => {
    return thrown.code === -32000 && thrown.data["kind"] === "workspace_required";
  });
  await assert.rejects(host[Symbol.asyncDispose](), /plugin's end/);
});

Deno.test("host answers requests of the plugin, and tells of a plugin that ended", async () => {
  const params = { agent_id: "a", request_id: 1, name: "search", arguments: { q: "x" } };
  const asked = { jsonrpc: "2.0", id: "h1", method: "plexum/host/tool/call", params };
  await using host = await plugin([asked]);
  const seen = Promise.withResolvers<unknown>();
  host.onRequest("plexum/host/tool/call", (params) => {
    seen.resolve(params["name"]);
    return { content: [] };
  });
  const lost = assert.rejects(host.request("ping"), /the plugin ended: exit 0/);
  assert.equal(await seen.promise, "search");
  await host.closeStdin();
  await lost;
});

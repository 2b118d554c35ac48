/** The runner's events in the host's words, and what codex is given of a conversation. */
import { strict as assert } from "node:assert";
import * as z from "zod/mini";
import { askedOf, canonicalEvent, errorBody } from "../../plugin/canonical.ts";
import { type Message, StreamEvent } from "../../plugin/protocol.ts";
import type { TurnEvent } from "../../runner/turn_event.ts";

const USAGE = {
  inputTokens: 10,
  cachedInputTokens: 4,
  outputTokens: 3,
  reasoningOutputTokens: 1,
};
const WIRE_USAGE = {
  input_tokens: 10,
  cached_input_tokens: 4,
  output_tokens: 3,
  reasoning_output_tokens: 1,
};

const EVENTS: [TurnEvent, StreamEvent][] = [
  [
    { type: "started", threadId: "t", resumed: true },
    { type: "message_start", model: "fast", thread_id: "t", resumed: true },
  ],
  [
    { type: "text", index: 1, text: "\n\nhi", phase: "commentary" },
    { type: "text_delta", index: 1, text: "\n\nhi", phase: "commentary" },
  ],
  [{ type: "text", index: 0, text: "hi" }, { type: "text_delta", index: 0, text: "hi" }],
  [
    { type: "thinking", index: 2, text: "hm" },
    { type: "thinking_delta", index: 2, text: "hm" },
  ],
  [
    { type: "call_started", id: "c", name: "search", namespace: "mcp__plexum", source: "host" },
    {
      type: "tool_call_start",
      id: "c",
      name: "search",
      namespace: "mcp__plexum",
      source: "host",
    },
  ],
  [
    { type: "call_ended", id: "c", arguments: "{}" },
    { type: "tool_call_end", id: "c", arguments: "{}" },
  ],
  [
    { type: "call_result", id: "c", output: "o", isError: false },
    { type: "tool_result", id: "c", output: "o", is_error: false },
  ],
  [
    { type: "call_result", id: "c", output: [{ type: "text" }], isError: true, part: 1 },
    { type: "tool_result", id: "c", output: [{ type: "text" }], is_error: true, part: 1 },
  ],
  [
    { type: "status", message: "reconnecting", data: { attempt: 1 } },
    { type: "status", message: "reconnecting", data: { attempt: 1 } },
  ],
  [
    { type: "error", failure: { kind: "network", message: "m", retryable: true } },
    { type: "error", error: { kind: "network", message: "m", retryable: true } },
  ],
  [
    { type: "ended", stopReason: "end_turn", usage: USAGE, threadId: "t" },
    { type: "message_end", stop_reason: "end_turn", usage: WIRE_USAGE, thread_id: "t" },
  ],
];

for (const [event, expected] of EVENTS) {
  Deno.test(`turn event ${event.type} is ${expected.type} for the host`, () => {
    const onTheWire: unknown = JSON.parse(JSON.stringify(canonicalEvent(event, "fast")));
    assert.deepEqual(onTheWire, expected);
    assert.deepEqual(z.parse(StreamEvent, onTheWire), expected, "no field that nobody published");
  });
}

Deno.test("failure is an error body with everything that is known, and nothing else", () => {
  const body = errorBody({
    kind: "rate_limited",
    message: "slow down",
    retryable: true,
    hint: "wait",
    retryAfterMs: 1500,
    resetsAt: "2026-01-01T00:00:00Z",
    exitCode: 1,
    signal: "SIGKILL",
    detail: "tail",
  });
  assert.deepEqual(body, {
    kind: "rate_limited",
    message: "slow down",
    retryable: true,
    hint: "wait",
    retry_after_ms: 1500,
    resets_at: "2026-01-01T00:00:00Z",
    exit_code: 1,
    signal: "SIGKILL",
    detail: "tail",
  });
  const bare = errorBody({ kind: "internal", message: "m", retryable: false });
  assert.equal(JSON.stringify(bare), '{"kind":"internal","message":"m","retryable":false}');
});

const user = (content: Message["content"]): Message => ({ role: "user", content });

Deno.test("codex is asked the text of the last user message", () => {
  const messages: Message[] = [
    user("first"),
    { role: "assistant", content: [{ type: "text", text: "reply" }] },
    user([
      { type: "text", text: "one" },
      { type: "tool_result", tool_use_id: "t", content: "not this" },
      { type: "other" },
      { type: "text", text: "two" },
    ]),
    { role: "assistant", content: "after" },
  ];
  assert.deepEqual(askedOf(messages), {
    text: "one\ntwo",
    images: [],
    history: [{ role: "user", text: "first" }, { role: "assistant", text: "reply" }],
  });
});

Deno.test("codex is asked nothing when no user message has text", () => {
  for (
    const messages of [
      [],
      [{ role: "assistant", content: "x" }],
      [user("")],
      [user(undefined)],
      [user([{ type: "image", path: "a.png" }])],
    ]
  ) {
    assert.equal(askedOf(messages).text, "", JSON.stringify(messages));
  }
});

Deno.test("codex gets the images of the last user message only, an empty source being none", () => {
  const messages = [
    user([{ type: "image", path: "old.png" }]),
    user([
      { type: "image", path: "a.png", url: "", data_base64: "", media_type: "" },
      { type: "text", text: "what are these?" },
      { type: "image", data_base64: "AA==", media_type: "image/png" },
      { type: "image", url: "data:image/png;base64,AA==" },
    ]),
  ];
  const none = { url: undefined, path: undefined, dataBase64: undefined };
  assert.deepEqual(askedOf(messages).images, [
    { ...none, block: 0, path: "a.png" },
    { ...none, block: 2, dataBase64: "AA==" },
    { ...none, block: 3, url: "data:image/png;base64,AA==" },
  ]);
});

Deno.test("history leaves out messages without text", () => {
  const messages: Message[] = [
    { role: "assistant", content: [{ type: "tool_use", id: "i", name: "n", input: {} }] },
    { role: "assistant" },
    user("now"),
  ];
  assert.deepEqual(askedOf(messages).history, []);
});

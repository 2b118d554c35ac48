/** What codex is given of a conversation. */
import { strict as assert } from "node:assert";
import { askedOf } from "../../plugin/config/settings.ts";
import type { Message } from "../../plugin/protocol.ts";

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

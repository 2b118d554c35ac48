import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  composePrompt,
  MAX_HISTORY_CHARACTERS,
  MAX_PROMPT_CHARACTERS,
} from "../../runner/prompt.ts";
import { TurnError } from "../../runner/turn_event.ts";

function refusal(parts: Parameters<typeof composePrompt>[0]): TurnError["failure"] {
  try {
    composePrompt(parts);
  } catch (error) {
    if (error instanceof TurnError) return error.failure;
    throw error;
  }
  return assert.fail("it was composed");
}

Deno.test("composePrompt passes on what a command line would misread", () => {
  for (const text of ["-starts", "--help", "resume", "help", "-", "a\0b", " x ", "\u2028"]) {
    if (text.trim() !== "") assert.equal(composePrompt({ text }), text);
  }
});

Deno.test("composePrompt refuses an empty prompt with the seed's words", () => {
  for (const text of ["", " \n\t "]) {
    const { kind, message } = refusal({ text });
    assert.deepEqual([kind, message], [
      "invalid_request",
      "codex: no user text in request messages",
    ]);
  }
});

Deno.test("composePrompt counts characters as codex does, not UTF-16 units", () => {
  const longest = "😀".repeat(MAX_PROMPT_CHARACTERS);
  assert.equal(composePrompt({ text: longest }), longest);
  const { kind, message, retryable } = refusal({ text: longest + "x" });
  assert.deepEqual([kind, retryable], ["invalid_request", false]);
  assert.match(message, /1048577 characters, at most 1048576/);
});

Deno.test("composePrompt takes 300 KB", () => {
  const text = "ü".repeat(150_000);
  assert.equal(composePrompt({ text }), text);
});

Deno.test("composePrompt gives codex valid UTF-8, whatever the surrogates", () => {
  assert.equal(composePrompt({ text: "a\ud800b\udc00" }), "a\ufffdb\ufffd");
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
    fc.pre(text.trim() !== "");
    assert.ok(composePrompt({ text, instructions: text }).isWellFormed());
  }));
});

Deno.test("composePrompt puts instructions and the earlier conversation before the text", () => {
  const history = [{ role: "user", text: "one" }, { role: "assistant", text: "two" }];
  assert.equal(
    composePrompt({ text: "three", instructions: "be kind", history }),
    [
      "<developer_instructions>\nbe kind\n</developer_instructions>",
      "<earlier_conversation>\nuser: one\n\nassistant: two\n</earlier_conversation>",
      "three",
    ].join("\n\n"),
  );
});

Deno.test("composePrompt keeps the newest of a long history and says how much is left out", () => {
  const long = "x".repeat(MAX_HISTORY_CHARACTERS / 2);
  const history = ["first", "second", "third"].map((name) => ({
    role: "user",
    text: name + long,
  }));
  const prompt = composePrompt({ text: "now", history });
  assert.match(prompt, /\(2 earlier messages left out\)\n\nuser: third/);
  assert.ok(!prompt.includes("second"));
  assert.ok(prompt.length < MAX_HISTORY_CHARACTERS + 1000);
});

Deno.test("composePrompt leaves the conversation out before it refuses the text", () => {
  const text = "x".repeat(MAX_PROMPT_CHARACTERS - 1000);
  const history = ["old ".repeat(1000), "new"].map((text) => ({ role: "user", text }));
  const prompt = composePrompt({ text, history });
  assert.ok(prompt.length <= MAX_PROMPT_CHARACTERS && prompt.endsWith(text));
  const longest = "x".repeat(MAX_PROMPT_CHARACTERS);
  assert.equal(composePrompt({ text: longest, history }), longest);
  assert.match(prompt.slice(0, 200), /\(1 earlier messages left out\)\n\nuser: new\n/);
});

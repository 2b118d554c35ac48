/**
 * What a turn is told, out of the configuration, its model and its agent.
 */
import { strict as assert } from "node:assert";
import { parseConfig } from "../../../plugin/config/config.ts";
import type { Config } from "../../../plugin/config/config_schema.ts";
import { askedOf, codexModel, turnSettings } from "../../../plugin/config/settings.ts";
import type { Message } from "../../../plugin/protocol.ts";

function config(value: unknown): Config {
  return parseConfig(JSON.stringify(value), "config.json").config;
}

Deno.test('codex\'s model: none for "" and codex, else what model_args says, else the id', () => {
  const mapped = config({ model_args: { fast: "gpt-mini", codex: "never", "": "never" } });
  assert.equal(codexModel(mapped, ""), undefined);
  assert.equal(codexModel(mapped, "codex"), undefined);
  assert.equal(codexModel(mapped, "fast"), "gpt-mini");
  assert.equal(codexModel(mapped, "gpt-5.5"), "gpt-5.5");
  assert.equal(codexModel(mapped, "constructor"), "constructor");
});

Deno.test("settings without overrides are the configuration's", () => {
  const plain = config({
    binary: "/b",
    extra_args: ["-x"],
    sandbox: "read-only",
    timeouts: { start_ms: 1, silence_ms: 2, tool_silence_ms: 3, reconnect_ms: 4, total_ms: 5 },
  });
  const settingsOf = (model: string, agent: string) => {
    const settings = turnSettings(plain, model, agent);
    return { ...settings, warm: settings.warm() };
  };
  const settings = settingsOf("codex", "cx");
  assert.equal(settings.binary, "/b");
  assert.deepEqual(settings.extraArgs, ["-x"]);
  assert.equal(settings.sandbox, "read-only");
  assert.deepEqual(settings.limits, {
    start: 1,
    silence: 2,
    toolSilence: 3,
    reconnect: 4,
    total: 5,
  });
  assert.deepEqual(settingsOf("__proto__", "constructor"), settings);
});

Deno.test("settings of an agent win over those of the model, and both over the rest", () => {
  const both = config({
    extra_args: ["all"],
    sandbox: "read-only",
    timeouts: { start_ms: 1, grace_ms: 1, total_ms: 1 },
    models: {
      fast: {
        sandbox: "workspace-write",
        args: ["model"],
        timeouts: { start_ms: 2, grace_ms: 2 },
      },
    },
    agents: {
      cx: { sandbox: "danger-full-access", args: ["agent"], timeouts: { start_ms: 0 } },
    },
  });
  const pick = (model: string, agent: string) => {
    const { sandbox, extraArgs, limits, graceMs } = turnSettings(both, model, agent);
    return [sandbox, extraArgs, limits.start, graceMs, limits.total];
  };
  assert.deepEqual(pick("codex", "other"), ["read-only", ["all"], 1, 1, 1]);
  assert.deepEqual(pick("fast", "other"), ["workspace-write", ["all", "model"], 2, 2, 1]);
  assert.deepEqual(pick("codex", "cx"), ["danger-full-access", ["all", "agent"], 0, 1, 1]);
  assert.deepEqual(pick("fast", "cx"), [
    "danger-full-access",
    ["all", "model", "agent"],
    0,
    2,
    1,
  ]);
});

Deno.test("settings say how codex is run, for an agent before a model", () => {
  const plain = turnSettings(config({}), "codex", "cx");
  assert.equal(plain.transport, "auto");
  assert.deepEqual(plain.warm(), { idleMs: 300_000, max: 8, spare: true });
  const mixed = config({
    transport: "auto",
    warm: { max: 2 },
    models: { fast: { transport: "app-server", warm: { idle_ms: 1, spare: false } } },
    agents: { cx: { transport: "exec", warm: { idle_ms: 2 } } },
  });
  const pick = (model: string, agent: string) => {
    const { transport, warm } = turnSettings(mixed, model, agent);
    return { transport, ...warm() };
  };
  assert.deepEqual(pick("codex", "other"), {
    transport: "auto",
    idleMs: 300_000,
    max: 2,
    spare: true,
  });
  assert.deepEqual(pick("fast", "other"), {
    transport: "app-server",
    idleMs: 1,
    max: 2,
    spare: false,
  });
  assert.deepEqual(pick("fast", "cx"), { transport: "exec", idleMs: 2, max: 2, spare: false });
});

/*
 * What codex is given of a conversation.
 */

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

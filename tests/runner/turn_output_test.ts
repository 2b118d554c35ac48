import { strict as assert } from "node:assert";
import { RawJson } from "../../base/raw_json.ts";
import fc from "fast-check";
import type { Followed } from "../../rollout/follow.ts";
import type { CodexEvent } from "../../runner/transport.ts";
import type { TurnEvent } from "../../runner/turn_event.ts";
import { TurnOutput } from "../../runner/turn_output.ts";
import { capturedRuns, eventsOf, followedOf } from "./captured.ts";

const none = () => undefined;
const textsOf = (events: TurnEvent[]): string[] =>
  events.flatMap((event) => event.type === "text_delta" ? [event.text] : []);

/** Something that codex said: both on stdout and in the rollout. */
const said = (text: string): { printed: CodexEvent; recorded: Followed } => ({
  printed: { type: "message", item: "i", text },
  recorded: { type: "message", text, phase: "commentary" },
});

Deno.test("TurnOutput tells each text once, in order, whichever way it comes first", () => {
  const names = fc.array(fc.string({ minLength: 1 }), { maxLength: 8 });
  fc.assert(fc.property(names, fc.infiniteStream(fc.boolean()), (names, coin) => {
    const output = new TurnOutput(none);
    const printed = names.map((name) => said(name).printed);
    const recorded = names.map((name) => said(name).recorded);
    const told: TurnEvent[] = [];
    while (printed.length + recorded.length > 0) {
      const print = recorded.length === 0 || printed.length > 0 && coin.next().value;
      const one = print ? printed.shift() : undefined;
      const other = one ? undefined : recorded.shift();
      told.push(...(one ? output.take(one) : other ? output.follow(other) : []));
    }
    assert.equal(textsOf(told).join(""), names.join("\n\n"));
    assert.deepEqual(told.map((event) => "index" in event && event.index), names.map((_, i) => i));
  }));
});

Deno.test("TurnOutput tells what codex recorded and died before printing", () => {
  const output = new TurnOutput(none);
  output.take(said("one").printed);
  output.follow(said("one").recorded);
  assert.deepEqual(output.follow(said("two").recorded), [
    { type: "text_delta", index: 1, text: "\n\ntwo", phase: "commentary" },
  ]);
});

Deno.test("TurnOutput counts texts and thoughts apart", () => {
  const output = new TurnOutput(none);
  const told = [
    ...output.take({ type: "reasoning", item: "i", text: "hm" }),
    ...output.follow(said("a").recorded),
    ...output.follow({ type: "thought", text: "hm" }),
    ...output.take({ type: "reasoning", item: "i", text: "hm hm" }),
  ];
  assert.deepEqual(told, [
    { type: "thinking_delta", index: 0, text: "hm" },
    { type: "text_delta", index: 0, text: "a", phase: "commentary" },
    { type: "thinking_delta", index: 1, text: "hm hm" },
  ]);
});

Deno.test("TurnOutput finds as many texts and thoughts recorded as printed, in every captured run", () => {
  for (const run of capturedRuns()) {
    const printed = eventsOf(run);
    const recorded = followedOf(run);
    // Of these, stdout and rollout are not of the same turns.
    const mixed = /^(resume-concurrent-second|cancel-)/.test(run.scenario);
    if (recorded.length === 0 || run.exitCode !== 0 || mixed) continue;
    const texts = (events: (CodexEvent | Followed)[], type: string) =>
      events.flatMap((event) => event.type === type && "text" in event ? [event.text] : []);
    const name = `${run.version} ${run.scenario}`;
    assert.deepEqual(texts(recorded, "message"), texts(printed, "message"), name);
    assert.deepEqual(texts(recorded, "thought"), texts(printed, "reasoning"), name);
  }
});

Deno.test("TurnOutput tells a call under the host's own name when it is the host's", () => {
  const output = new TurnOutput((namespace, name) =>
    namespace === "mcp__plexum" ? `h.${name}` : undefined
  );
  const call = { type: "call", id: "c1", name: "search", arguments: "{}" } as const;
  const [host] = output.follow({ ...call, namespace: "mcp__plexum" });
  const [own] = output.follow({ ...call, id: "c2", name: "exec_command" });
  assert.deepEqual(host, {
    type: "tool_call_start",
    id: "c1",
    name: "h.search",
    source: "host",
    namespace: "mcp__plexum",
  });
  assert.equal(own?.type === "tool_call_start" && own.source, "codex");
  assert.deepEqual([...output.openCalls.keys()], ["c1", "c2"]);
  output.follow({ type: "result", id: "c1", output: "x", isError: false });
  assert.deepEqual([...output.openCalls.keys()], ["c2"]);
});

Deno.test("TurnOutput claims the oldest open call of that name and those arguments, each once", () => {
  const output = new TurnOutput((_, name) => name);
  const call = (id: string, args: string): Followed => ({
    type: "call",
    id,
    name: "t",
    arguments: args,
  });
  output.follow(call("c1", '{"q":1}'));
  output.follow(call("c2", '{"q": 2}'));
  output.follow(call("c3", '{"q":2}'));
  const claim = (q: number) => output.claim({ name: "t", arguments: RawJson.of({ q }) });
  assert.deepEqual([claim(2), claim(2), claim(2), claim(1)], ["c2", "c3", undefined, "c1"]);
  assert.equal(output.claim({ callId: "given", name: "t", arguments: RawJson.of({}) }), "given");
  assert.equal(output.claim({ name: "other", arguments: RawJson.of({ q: 1 }) }), undefined);
});

Deno.test("TurnOutput knows when a script runs, whose calls are not recorded", () => {
  const output = new TurnOutput((_, name) => name === "mine" ? "mine" : undefined);
  for (const [name, runs] of [["mine", false], ["exec_command", false], ["exec", true]] as const) {
    output.follow({ type: "call", id: name, name, arguments: "{}" });
    assert.equal(output.runsScript, runs, name);
  }
  output.follow({ type: "result", id: "exec", output: "", isError: false });
  assert.equal(output.runsScript, false);
});

Deno.test("TurnOutput reports the first broken line only, and counts them all", () => {
  const output = new TurnOutput(none);
  const broken: CodexEvent = { type: "broken", reason: "not JSON (3 bytes)" };
  const told = [broken, broken, broken].flatMap((event) => output.take(event));
  assert.deepEqual(told.map((event) => event.type), ["status"]);
  assert.equal(output.broken, 3);
});

Deno.test("TurnOutput counts unknown types and is not disturbed by them", () => {
  const output = new TurnOutput(none);
  const unknown: CodexEvent = { type: "unknown", name: "item.plan.delta" };
  assert.deepEqual([...output.take(unknown), ...output.take(unknown)], []);
  assert.deepEqual([...output.unknown], [["item.plan.delta", 2]]);
});

Deno.test("TurnOutput keeps a bounded count of types that are made up without end", () => {
  const output = new TurnOutput(none);
  for (let n = 0; n < 1000; n++) {
    output.take({ type: "unknown", name: `${n} ${"x".repeat(10_000)}` });
  }
  assert.equal(output.unknown.size, 51);
  assert.equal(output.unknown.get("others"), 950);
  assert.ok([...output.unknown.keys()].every((name) => name.length <= 100));
});

Deno.test("TurnOutput takes codex's first last word for the last", () => {
  const output = new TurnOutput(none);
  output.take({ type: "turn_failed", message: "no" });
  output.take({ type: "turn_completed", usage: undefined });
  assert.deepEqual(output.terminal, { type: "failed", message: "no" });
});

Deno.test("TurnOutput tells notices, warnings, plans and searches as status", () => {
  const output = new TurnOutput(none);
  const steps = [{ text: "a", completed: true }, { text: "b", completed: false }];
  const told = [
    ...output.take({ type: "notice", message: "Reconnecting... 1/2", reconnecting: false }),
    ...output.take({ type: "warning", message: "Model metadata not found" }),
    ...output.take({ type: "plan", steps }),
    ...output.take({ type: "web_search", query: "deno" }),
    ...output.follow({ type: "compacted" }),
  ];
  assert.deepEqual(told, [
    { type: "status", message: "Reconnecting... 1/2" },
    { type: "status", message: "Model metadata not found", data: { level: "warning" } },
    { type: "status", message: "plan: 1 of 2 done", data: { plan: steps } },
    { type: "status", message: "web search: deno" },
    { type: "status", message: "codex compacted the conversation" },
  ]);
});

Deno.test("TurnOutput tells pieces as they come, and the record of the whole not again", () => {
  const output = new TurnOutput(none);
  const piece = (item: string, text: string): CodexEvent => ({
    type: "message_delta",
    item,
    text,
    phase: "commentary",
  });
  const told = [
    ...output.take(piece("a", "one ")),
    ...output.take(piece("a", "two")),
    ...output.take({ type: "message", item: "a", text: "one two three", phase: "commentary" }),
    ...output.follow(said("one two three").recorded),
    ...output.take(piece("b", "four")),
    ...output.follow(said("four five").recorded),
    ...output.take(piece("b", " five")),
    ...output.take({ type: "message", item: "b", text: "four five" }),
    ...output.take({ type: "message", item: "c", text: "six" }),
  ];
  assert.deepEqual(told.map((event) => "index" in event && event.index), [0, 0, 0, 1, 1, 2]);
  assert.equal(textsOf(told).join(""), "one two three\n\nfour five\n\nsix");
});

Deno.test("TurnOutput takes back what codex began again, and tells the new attempt under a new index", () => {
  const output = new TurnOutput(none);
  const told = [
    ...output.take({ type: "message_delta", item: "a", text: "half an ans" }),
    ...output.take({ type: "retracted", item: "a" }),
    ...output.take({ type: "retracted", item: "never told" }),
    ...output.take({ type: "message_delta", item: "b", text: "half" }),
    ...output.take({ type: "message", item: "b", text: "half an answer" }),
    ...output.follow(said("half an answer").recorded),
  ];
  assert.deepEqual(told.map(({ type }) => type), [
    "text_delta",
    "text_retracted",
    "text_delta",
    "text_delta",
  ]);
  assert.deepEqual(told[1], { type: "text_retracted", index: 0 });
  assert.equal(textsOf(told.slice(2)).join(""), "\n\nhalf an answer");
});

Deno.test("TurnOutput told by pieces, in any order with the records, is always the final texts", () => {
  const texts = fc.array(fc.string({ minLength: 1, unit: "grapheme" }), { maxLength: 6 });
  fc.assert(fc.property(texts, fc.infiniteStream(fc.nat(99)), (texts, dice) => {
    const roll = () => dice.next().value ?? 0;
    const output = new TurnOutput(none);
    const told: TurnEvent[] = [];
    const spoken: CodexEvent[] = texts.flatMap((text, n) => {
      const item = `item ${n}`;
      const cut = roll() < 30; // a stream that broke
      const garbage: CodexEvent[] = cut
        ? [{ type: "message_delta", item: `${item}?`, text: "x" }, {
          type: "retracted",
          item: `${item}?`,
        }]
        : [];
      const pieces: CodexEvent[] = [];
      for (let at = 0; at < text.length && roll() < 90;) {
        const end = at + 1 + roll() % 3;
        pieces.push({ type: "message_delta", item, text: text.slice(at, end) });
        at = end;
      }
      return [...garbage, ...pieces, { type: "message", item, text }];
    });
    const recorded = texts.map((text) => said(text).recorded);
    while (spoken.length + recorded.length > 0) {
      const one = recorded.length === 0 || spoken.length > 0 && roll() < 60
        ? spoken.shift()
        : undefined;
      const other = one ? undefined : recorded.shift();
      told.push(...(one ? output.take(one) : other ? output.follow(other) : []));
    }
    const blocks = new Map<number, string>();
    for (const event of told) {
      if (event.type === "text_retracted") assert.ok(blocks.delete(event.index));
      if (event.type !== "text_delta") continue;
      blocks.set(event.index, (blocks.get(event.index) ?? "") + event.text);
    }
    assert.deepEqual([...blocks.values()].map((text) => text.replace(/^\n\n/, "")), texts);
  }));
});

Deno.test("TurnOutput tells how full the model's context is, as codex said it last", () => {
  const output = new TurnOutput(none);
  const zero = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningOutputTokens: 0 };
  output.follow({ type: "usage", total: zero, last: zero, context: { used: 1, window: 9 } });
  output.follow({ type: "usage", total: zero, last: zero });
  assert.deepEqual(output.context, { used: 1, window: 9 });
  output.take({ type: "context", used: 3, window: 9 });
  assert.deepEqual(output.context, { used: 3, window: 9 });
});

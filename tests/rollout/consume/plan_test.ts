import { strict as assert } from "node:assert";
import fc from "fast-check";
import { batchesOf, type ConsumeOp, splice } from "../../../rollout/consume/plan.ts";
import { callItemsIn } from "../../../rollout/records/items.ts";
import { allCaptured, linesOf } from "../rollouts.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (line: Uint8Array): string => new TextDecoder().decode(line);

type Json = Record<string, unknown>;

/** The specification: what a consumed line means, by parsing and building values. */
function expected(line: string, wanted: ReadonlyMap<string, ConsumeOp>): unknown {
  const value = JSON.parse(line);
  const items: Json[] = value.type === "response_item"
    ? [value.payload]
    : value.type === "compacted"
    ? value.payload.replacement_history ?? []
    : [];
  for (const item of items) {
    const op = wanted.get(String(item?.call_id));
    if (op === undefined) continue;
    const heavy = op === "consume-heavy";
    if (String(item.type).endsWith("call_output")) {
      item.output = heavy ? "...(tool called)" : "...(consumed)";
    }
    if (heavy && item.type === "function_call") item.arguments = "{}";
    if (heavy && item.type === "custom_tool_call") item.input = "{}";
  }
  return value;
}

const id = fc.constantFrom("call_1", "call_2", 'we"ird\\é', "");
const op = fc.constantFrom<ConsumeOp>("consume-light", "consume-heavy");
const wanted = fc.array(fc.tuple(id, op), { maxLength: 3 }).map((list) => new Map(list));
const long = fc.string({ unit: "binary", minLength: 40, maxLength: 80 });
const item: fc.Arbitrary<Json> = fc.oneof(
  fc.record({
    type: fc.constantFrom("function_call_output", "custom_tool_call_output"),
    call_id: id,
    output: fc.oneof(
      long,
      fc.array(fc.record({ type: fc.constant("input_text"), text: long }), { minLength: 1 }),
    ),
    extra: fc.jsonValue(),
  }),
  fc.record({
    type: fc.constant("function_call"),
    name: fc.string(),
    arguments: long.map((value) => JSON.stringify({ value })),
    call_id: id,
  }),
  fc.record({ type: fc.constant("custom_tool_call"), call_id: id, input: long }),
  fc.record({ type: fc.constantFrom("message", "reasoning", "output"), call_id: id, output: long }),
);
const record: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ timestamp: fc.string(), type: fc.constant("response_item"), payload: item }),
  fc.record({
    type: fc.constant("compacted"),
    payload: fc.record({ message: long, replacement_history: fc.array(item, { maxLength: 4 }) }),
  }),
  fc.record({ type: fc.constant("event_msg"), payload: item }),
);
const padding = fc.constantFrom("", " ", "     ", "\r", "  \r");

Deno.test("splice changes exactly the consumed values and keeps the length", () => {
  fc.assert(
    fc.property(record, wanted, padding, (value, ops, pad) => {
      const line = JSON.stringify(value);
      const before = bytes(line + pad);
      const { line: after, changed } = splice(before, ops);
      assert.equal(after !== undefined, changed.size > 0);
      const result = after ?? before;
      assert.equal(result.length, before.length);
      assert.equal(result.at(-1) === 13, pad.endsWith("\r"));
      assert.deepEqual(JSON.parse(text(result)), expected(line, ops));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("splice keeps every byte outside the consumed values", () => {
  fc.assert(fc.property(record, wanted, (value, ops) => {
    const line = JSON.stringify(value);
    const after = text(splice(bytes(line), ops).line ?? bytes(line));
    // Pieces of the old line in their order, with markers between them and spaces at the end.
    const pieces = after.trimEnd().split(/"\.\.\.\((?:consumed|tool called)\)"|"\{\}"/);
    let from = 0;
    for (const piece of pieces) {
      const at = line.indexOf(piece, from);
      assert.ok(at >= 0, `${piece} is not in ${line}`);
      from = at + piece.length;
    }
  }));
});

Deno.test("splice is idempotent and the last op wins", () => {
  fc.assert(fc.property(record, wanted, op, (value, ops, second) => {
    const line = bytes(JSON.stringify(value) + "      ");
    const once = splice(line, ops).line ?? line;
    assert.equal(splice(once, ops).line, undefined);
    const later = new Map([...ops.keys()].map((key) => [key, second]));
    const twice = splice(once, later).line ?? once;
    assert.deepEqual(JSON.parse(text(twice)), expected(text(once), later));
  }));
});

Deno.test("splice on captured rollouts means what the specification says, or fits not", () => {
  let consumed = 0;
  for (const { bytes: content, version, scenario } of allCaptured()) {
    for (const line of linesOf(content)) {
      for (const op of ["consume-light", "consume-heavy"] as const) {
        const ops = new Map(callItemsIn(bytes(line)).map(({ callId }) => [callId, op]));
        const { line: after, changed } = splice(bytes(line), ops);
        if (changed.size === 0) {
          const { type, output, arguments: args, input } = JSON.parse(line).payload;
          if (/^tool_search_(?:call|output)$/.test(type)) continue; // nothing in it has a marker
          const short = `${JSON.stringify(output ?? args ?? input)}`.length < 24;
          if (ops.size > 0) assert.ok(short || op === "consume-light", line);
          continue;
        }
        consumed++;
        const where = `${version}/${scenario}`;
        assert.deepEqual(JSON.parse(text(after ?? bytes(""))), expected(line, ops), where);
      }
    }
  }
  assert.ok(consumed > 100, `only ${consumed}`);
});

Deno.test("splice leaves a value that is smaller than its marker, unless spaces are left", () => {
  const line =
    '{"type":"response_item","payload":{"type":"function_call_output","call_id":"a","output":"ok"}}';
  const ops = new Map([["a", "consume-light" as const]]);
  assert.deepEqual(splice(bytes(line), ops), { found: new Set(["a"]), changed: new Set() });
  const room = " ".repeat('"...(consumed)"'.length - '"ok"'.length);
  const spliced = splice(bytes(line + room), ops);
  assert.equal(spliced.line && text(spliced.line), line.replace('"ok"', '"...(consumed)"'));
});

Deno.test("splice takes the last of two equal keys, as codex's parser and JSON.parse do", () => {
  const line = '{"type":"response_item","payload":{"type":"function_call_output","call_id":"a",' +
    '"output":"first, which does not count","output":"second, which does"}}';
  const after = splice(bytes(line), new Map([["a", "consume-light" as const]])).line;
  assert.match(
    text(after ?? bytes("")),
    /"first, which does not count","output":"\.\.\.\(consumed\)"\}\} +$/,
  );
});

Deno.test("splice refuses a line that is no JSON, and callItemsIn finds nothing in a cut one", () => {
  const line =
    '{"type":"response_item","payload":{"type":"function_call_output","call_id":"a","output":"x"}}';
  assert.deepEqual(callItemsIn(bytes(line)).map(({ callId }) => callId), ["a"]);
  for (const cut of [line.slice(0, -1), line.slice(0, -5), line + "}", line + "\u0000"]) {
    assert.throws(() => splice(bytes(cut), new Map()), SyntaxError);
    assert.deepEqual(callItemsIn(bytes(cut)), [], cut);
  }
});

Deno.test("batchesOf puts each line into one batch, in the order of the file, and none beyond its size but alone", () => {
  const at = (offset: number, length: number) => ({ hash: offset + 1, offset, length });
  const offsets = (...lines: ReturnType<typeof at>[]) =>
    batchesOf(lines, 10).map((batch) => batch.map(({ offset }) => offset));
  assert.deepEqual(offsets(), [[]]);
  assert.deepEqual(offsets(at(9, 4), at(0, 4), at(9, 4), at(4, 2)), [[0, 4, 9]]);
  assert.deepEqual(offsets(at(0, 99), at(100, 1), at(200, 99), at(300, 6), at(310, 5)), [
    [0],
    [100],
    [200],
    [300],
    [310],
  ]);
});

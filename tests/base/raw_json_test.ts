import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  canonicalJson,
  memberSpan,
  RawJson,
  readArray,
  readObject,
  rootOf,
  type Span,
  spanOf,
  stringAt,
  stringify,
  textOf,
  wellFormedJson,
} from "../../base/raw_json.ts";

const TEXT = '{ "id":9007199254740993,"z":-0,"e":1E2,"one":1.0,"id":2,"u":"\\ud800\\/é" }';

Deno.test("stringify writes a raw value as it was written, wherever it stands", () => {
  const raw = new RawJson(TEXT);
  assert.equal(stringify({ a: [raw, 1], b: raw }), `{"a":[${TEXT},1],"b":${TEXT}}`);
  assert.equal(stringify(raw), TEXT);
});

Deno.test("stringify without raw values is JSON.stringify, whatever the texts", () => {
  const hard = fc.string({ unit: fc.constantFrom('"', "\\", "/", "u", "a", "\ud800") });
  fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.array(hard)), hard, (value, other) => {
    assert.equal(stringify(value), JSON.stringify(value));
    const raw = RawJson.of(other);
    assert.equal(stringify([value, raw]), JSON.stringify([value, other]));
  }));
});

Deno.test("wellFormedJson changes halves of pairs and nothing else", () => {
  const text = String.raw`{"a\ud800b":"\ud83d\ude00 \\ud800 \uDFFF","c":"\uD83D\uD83D\uDE00"}`;
  const changed = String.raw`{"a\ufffdb":"\ud83d\ude00 \\ud800 \ufffd","c":"\ufffd\uD83D\uDE00"}`;
  assert.equal(wellFormedJson(text), changed);
  const many = JSON.stringify("\n".repeat(5_000_000) + "\ud800");
  assert.equal(wellFormedJson(many).length, many.length);
  const any = fc.string({
    unit: fc.constantFrom("\\", '"', "u", "\ud83d", "\ude00", "\ufffd", "x"),
  });
  fc.assert(fc.property(any, (text) => {
    assert.equal(JSON.parse(wellFormedJson(JSON.stringify(text))), text.toWellFormed());
  }));
});

Deno.test("raw value is read as JSON.parse reads it, and its parts keep their text", () => {
  const raw = new RawJson(`{"a":1,"list":[1.0, {"x":-0} ,"y"],"a":${TEXT}}`);
  assert.deepEqual(raw.member("a")?.text, TEXT);
  assert.deepEqual(raw.member("list")?.elements().map((each) => each.text), [
    "1.0",
    '{"x":-0}',
    '"y"',
  ]);
  assert.equal(raw.member("none"), undefined);
  assert.deepEqual(new RawJson("7").elements(), []);
  assert.deepEqual(raw.value, JSON.parse(raw.text));
  assert.equal(JSON.stringify(new RawJson("1.0")), "1", "whoever does not know it gets the value");
});

Deno.test("canonicalJson is the same exactly for what says the same, digit by digit", () => {
  assert.equal(
    canonicalJson('{ "b":[1 ,{"y":1,"x":2}],"a":"\\u0041" }'),
    canonicalJson(
      '{"a":"A","b":[1,{"x":2,"y":1}]}',
    ),
  );
  assert.notEqual(canonicalJson("9007199254740993"), canonicalJson("9007199254740992"));
  assert.notEqual(canonicalJson("1.0"), canonicalJson("1"));
  assert.throws(() => canonicalJson("{"), SyntaxError);
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Strings that are hard on a tokenizer: quotes, backslashes, brackets, more than one byte. */
const text = fc.string({
  unit: fc.constantFrom(
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "a",
    "é",
    "😀",
    "\u2028",
  ),
  maxLength: 8,
});

/** JSON written in many ways: spaces anywhere, keys twice, characters escaped that need not be. */
const written = fc.letrec<{ value: string; object: string }>((tie) => {
  const space = fc.constantFrom("", "", " ", "\t", " \r");
  const spaced = (parts: fc.Arbitrary<string>[]) =>
    fc.tuple(...parts.flatMap((part) => [space, part])).map((all) => all.join(""));
  // Around 64 bytes the search for the end of a string becomes another one.
  const before = fc.oneof(fc.constant(0), fc.integer({ min: 58, max: 66 }));
  const string = fc.tuple(before, text, fc.boolean()).map(([pad, value, escape]) => {
    const plain = JSON.stringify("x".repeat(pad) + value);
    return escape ? plain.replaceAll("a", "\\u0061") : plain;
  });
  const key = fc.constantFrom('"a"', '"\\u0061"', '"b"', '"a\\\\"', '""', '"__proto__"');
  const listed = (item: fc.Arbitrary<string>, open: string, close: string) =>
    fc.tuple(fc.array(item, { maxLength: 4 }), space)
      .map(([items, end]) => open + items.join(",") + end + close);
  return {
    object: listed(spaced([key, fc.constant(":"), tie("value")]), "{", "}"),
    value: fc.oneof(
      { depthSize: "small" },
      string,
      fc.constantFrom("0", "-1.50e+3", "12345678901234567890", "true", "null"),
      tie("object"),
      listed(spaced([tie("value")]), "[", "]"),
    ),
  };
});

Deno.test("memberSpan and readArray find what JSON.parse finds, at every depth", () => {
  const compare = (line: Uint8Array, span: Span, value: unknown): void => {
    assert.deepEqual(JSON.parse(textOf(line, span)), value);
    if (Array.isArray(value)) {
      const elements: Span[] = [];
      assert.equal(
        readArray(line, span.start, (at) => void elements.push(spanOf(line, at))),
        span.end,
      );
      assert.equal(elements.length, value.length);
      elements.forEach((element, i) => compare(line, element, value[i]));
    } else if (typeof value === "object" && value !== null) {
      assert.equal(readObject(line, span.start, () => {}), span.end);
      for (const [key, member] of Object.entries(value)) {
        const found = memberSpan(line, span.start, key);
        assert.ok(found, `no member ${key}`);
        compare(line, found, member);
      }
      assert.equal(memberSpan(line, span.start, "absent"), undefined);
    } else if (typeof value === "string") {
      assert.equal(stringAt(line, span), value);
    } else assert.equal(stringAt(line, span), undefined);
  };
  fc.assert(
    fc.property(written.object, fc.constantFrom("", " ", "  \r"), (object, padding) => {
      const line = bytes(padding + object + padding);
      const root = spanOf(line, rootOf(line));
      assert.equal(root.end, line.length - padding.length);
      compare(line, root, JSON.parse(object));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("spanOf ends beyond the line where a value is cut", () => {
  fc.assert(fc.property(written.object, fc.nat(), (object, cut) => {
    const whole = bytes(object);
    const line = whole.subarray(0, cut % whole.length);
    if (line.length > 0) assert.equal(spanOf(line, 0).end, line.length + 1);
    if (line.length > 0) assert.equal(readObject(line, 0, () => {}), line.length + 1);
  }));
  assert.equal(rootOf(bytes("  ")), 2);
});

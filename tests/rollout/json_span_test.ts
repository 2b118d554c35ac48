import { strict as assert } from "node:assert";
import fc from "fast-check";
import { elementSpans, memberSpan, rootSpan, spanAt, textOf } from "../../rollout/json_span.ts";

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
  const string = fc.tuple(text, fc.boolean()).map(([value, escape]) => {
    const plain = JSON.stringify(value);
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

Deno.test("memberSpan and elementSpans find what JSON.parse finds, at every depth", () => {
  const compare = (
    line: Uint8Array,
    span: { start: number; end: number },
    value: unknown,
  ): void => {
    assert.deepEqual(JSON.parse(textOf(line, span)), value);
    if (Array.isArray(value)) {
      const elements = [...elementSpans(line, span)];
      assert.equal(elements.length, value.length);
      elements.forEach((element, i) => compare(line, element, value[i]));
    } else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        const found = memberSpan(line, span, key);
        assert.ok(found, `no member ${key}`);
        compare(line, found, member);
      }
      assert.equal(memberSpan(line, span, "absent"), undefined);
    }
  };
  fc.assert(
    fc.property(written.object, fc.constantFrom("", " ", "  \r"), (object, padding) => {
      const line = bytes(padding + object + padding);
      const root = rootSpan(line);
      assert.ok(root);
      compare(line, root, JSON.parse(object));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("spanAt follows a path and says nothing where it ends", () => {
  const line = bytes('{"payload":{"type":"x","list":[1,{"output":"a\\"b"}],"type":"last"}}');
  const at = (...path: (string | number)[]): string | undefined => {
    const span = spanAt(line, path);
    return span && textOf(line, span);
  };
  assert.equal(at("payload", "list", 1, "output"), '"a\\"b"');
  assert.equal(at("payload", "type"), '"last"');
  assert.equal(at("payload", "list", 2), undefined);
  assert.equal(at("payload", "nothing", "output"), undefined);
  assert.equal(at("payload", "type", "output"), undefined);
  assert.equal(spanAt(bytes("  "), ["payload"]), undefined);
});

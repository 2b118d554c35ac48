import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { clipTo, oneLine, printable, wrap } from "../../../../plugin/operator/cli/terminal.ts";

Deno.test("printable lets nothing through that a terminal would obey", () => {
  assert.equal(printable("a\x1b]0;title\x07b\u202ec\td\n"), "a\ufffd]0;title\ufffdb\ufffdc\td\n");
  assert.equal(printable("\ud800"), "\ufffd");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(printable(text), /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
    assert.doesNotMatch(oneLine(text), /\p{Cc}/u);
  }));
});

Deno.test("wrap breaks at spaces, keeps every word, and indents what follows", () => {
  assert.equal(wrap("one two three", 8, "  "), "one two\n  three");
  assert.equal(wrap("averylongword b", 4), "averylongword\nb");
  fc.assert(fc.property(
    fc.array(fc.string({ unit: fc.constantFrom("a", "é", "🙂"), minLength: 1, maxLength: 9 }), {
      minLength: 1,
    }),
    fc.integer({ min: 1, max: 20 }),
    (words, width) => {
      const lines = wrap(words.join(" "), width).split("\n");
      assert.deepEqual(lines.join(" ").split(" "), words);
      for (const line of lines) assert.ok([...line].length <= width || !line.includes(" "), line);
    },
  ));
});

Deno.test("clipTo says that something is missing", () => {
  assert.equal(clipTo("harbour", 7), "harbour");
  assert.equal(clipTo("harbour", 5), "harb…");
  assert.equal(clipTo("🙂🙂🙂", 2), "🙂…");
});

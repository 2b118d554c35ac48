import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import {
  jsonText,
  oneLine,
  printable,
  shellWord,
} from "../../../../plugin/operator/cli/terminal.ts";
import { clipTo, padTo, widthOf, wrap } from "../../../../plugin/operator/cli/text.ts";

Deno.test("printable lets nothing through that a terminal would obey", () => {
  assert.equal(printable("a\x1b]0;title\x07b\u202ec\td\n"), "a\ufffd]0;title\ufffdb\ufffdc\td\n");
  assert.equal(printable("\ud800"), "\ufffd");
  for (const mark of "\u200e\u200f\u061c\u202a\u202e\u2066\u2069\u206a\u2028\u2029\x9b\x85\x7f") {
    assert.equal(printable(`a${mark}b`), "a\ufffdb", mark.codePointAt(0)?.toString(16));
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(printable(text), /(?![\n\t])\p{Cc}|\p{Bidi_Control}|[\u2028\u2029]/u);
    assert.doesNotMatch(oneLine(text), /\p{Cc}/u);
  }));
});

Deno.test("jsonText is the value, and nothing that a terminal would obey", () => {
  const value = { text: "a\x9b31m\u202e\u200f", "k\x7f": [1] };
  assert.deepEqual(JSON.parse(jsonText(value)), value);
  assert.doesNotMatch(jsonText(value), /\p{Cc}|\p{Bidi_Control}/u);
});

Deno.test("wrap counts columns, and neither parts a number from its unit nor breaks code", () => {
  assert.equal(wrap("東京 東京 東京", 9), "東京 東京\n東京");
  assert.equal(wrap("took about 1,234 ms", 13), "took about\n1,234 ms");
  assert.equal(wrap("first run `a b c` then", 12), "first run\n`a b c` then");
  assert.equal(wrap("as long as it is", Infinity), "as long as it is");
  assert.equal(widthOf("\x1b[31m→\x1b[0m 東"), 4);
  assert.equal(padTo("東", 4), "東  ");
});

Deno.test("shellWord is one word with exactly this text in a shell", () => {
  for (const text of ["plain", "a b", "it's", "$HOME;`x`", "", "ünï"]) {
    const { stdout } = new Deno.Command("sh", { args: ["-c", `printf %s ${shellWord(text)}`] })
      .outputSync();
    assert.equal(new TextDecoder().decode(stdout), text);
  }
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
      for (const line of lines) assert.ok(widthOf(line) <= width || !line.includes(" "), line);
    },
  ));
});

Deno.test("clipTo says that something is missing", () => {
  assert.equal(clipTo("harbour", 7), "harbour");
  assert.equal(clipTo("harbour", 5), "harb…");
  assert.equal(clipTo("🙂🙂🙂", 3), "🙂…");
  assert.equal(clipTo("👩‍👩‍👧x", 2), "…", "no half of a family");
  assert.ok(widthOf(clipTo("x".repeat(10_000_000), 40)) === 40);
});

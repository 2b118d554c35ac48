import { strict as assert } from "node:assert";
import fc from "fast-check";
import { toml } from "../../base/toml.ts";

/** Reads a TOML 1.0 basic string, by the letter of the specification. */
function readBasicString(source: string): string {
  assert.equal(source[0], '"');
  assert.equal(source.at(-1), '"');
  const short: Record<string, string> = {
    b: "\b",
    t: "\t",
    n: "\n",
    f: "\f",
    r: "\r",
    '"': '"',
    "\\": "\\",
  };
  let value = "";
  const inner = source.slice(1, -1);
  for (let at = 0; at < inner.length; at++) {
    const char = inner.charAt(at);
    assert.ok(char !== '"', `an unescaped quote in ${source}`);
    if (char !== "\\") {
      const code = char.charCodeAt(0);
      assert.ok(code === 9 || (code >= 32 && code !== 127), `a control character in ${source}`);
      value += char;
      continue;
    }
    const escape = inner.charAt(++at);
    if (escape === "u") {
      const digits = inner.slice(at + 1, at + 5);
      assert.match(digits, /^[0-9a-fA-F]{4}$/);
      const code = parseInt(digits, 16);
      assert.ok(!(code >= 0xd800 && code < 0xe000), `a surrogate escape in ${source}`);
      value += String.fromCharCode(code);
      at += 4;
    } else {
      assert.ok(escape in short, `an unknown escape in ${source}`);
      value += short[escape];
    }
  }
  return value;
}

/** Not fast-check's "binary": that takes seconds to set up, and has no half of a pair. */
const anyCharacter = fc.integer({ min: 0, max: 0x10ffff }).map((code) =>
  String.fromCodePoint(code)
);
const anyText = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({
    unit: fc.constantFrom(
      ..."\"'\\\n\r\t\0\x7f\x1b=#[]{},",
      "\u2028",
      "\ufeff",
      "\ud800",
      "\udc00",
      "😀",
    ),
  }),
);

Deno.test("toml strings read back as they were, lone surrogates replaced", () => {
  fc.assert(fc.property(anyText, (text) => {
    const source = toml.value(text);
    assert.equal(readBasicString(source), text.toWellFormed());
    assert.ok(!/[\n\r]/.test(source));
    assert.ok(source.isWellFormed());
  }));
  for (let code = 0; code < 0x100; code++) {
    const character = String.fromCharCode(code);
    assert.equal(readBasicString(toml.value(character)), character);
  }
});

Deno.test("toml keys are bare or a string", () => {
  fc.assert(fc.property(anyText, (text) => {
    const key = toml.key(text);
    if (!/^[A-Za-z0-9_-]+$/.test(key)) assert.equal(readBasicString(key), text.toWellFormed());
  }));
  assert.equal(toml.key(""), '""');
  assert.equal(toml.key("a.b"), '"a.b"');
});

Deno.test("toml writes lists and tables on one line and refuses what is no integer", () => {
  assert.equal(toml.value({ a: [1, "x\n"], "b c": { d: true } }), '{a=[1,"x\\n"],"b c"={d=true}}');
  assert.throws(() => toml.value(1.5), /Cannot write 1.5 as a TOML integer/);
});

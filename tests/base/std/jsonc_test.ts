import { strict as assert } from "node:assert";
import { parse } from "@std/jsonc";

Deno.test("jsonc parse() takes comments and trailing commas", () => {
  assert.deepEqual(parse('// c\n{ "a": [1, /* two */ 2,], }\n'), { a: [1, 2] });
});

Deno.test("jsonc parse() throws SyntaxError with the place of the first error", () => {
  const cases: [string, RegExp][] = [
    ['{\n  "a": 1 "b": 2\n}', /line 2, column 10: found "\\"b\\": 2/],
    ["", /line 1, column 1/],
    ['{ "a": ', /line 1, column \d+$/],
    ['{ "a": "unfinished }', /line 1/],
    ["{} trailing", /line 1, column 4/],
    ["/* never closed", /line 1/],
    ['{"a": NaN}', /line 1, column 7/],
    ["01", /line 1/],
  ];
  for (const [text, place] of cases) {
    assert.throws(() => parse(text), (error) => {
      assert(error instanceof SyntaxError, text);
      assert.match(error.message, place);
      return true;
    });
  }
});

Deno.test("jsonc parse() gives what JSON.parse gives for plain JSON", () => {
  for (const text of ['{"a":{"b":[null,true,-1.5e3,"\\u00fc"]}}', "[]", '"x"', "0"]) {
    assert.deepEqual(parse(text), JSON.parse(text));
  }
});

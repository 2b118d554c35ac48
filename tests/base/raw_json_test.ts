import { strict as assert } from "node:assert";
import fc from "fast-check";
import { canonicalJson, RawJson, stringify } from "../../base/raw_json.ts";

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

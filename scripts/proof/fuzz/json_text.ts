/**
 * JSON as text, made to be awkward: the texts are put together by hand, so that they can hold what
 * no value holds (a key twice, numbers beyond a double, half an escape, a thousand open brackets).
 */
import * as fc from "fast-check";

/** Rarely more than this, so that a million cases do not take a day. */
const LONG = 20_000;

/** Values that one place or another may not have thought of. */
const AWKWARD = [
  ...["null", "true", "false", "0", "-0", "-1", "0.5", "1e400", "-1e400", "9007199254740993"],
  ...['""', "[]", "{}", '"\\u0000"', '"\\ud800"', '"\\udc00x"', '"\u2028\u2029"', '"\\n\\n"'],
  ...['{"__proto__":{"a":1}}', '{"constructor":{"prototype":1}}', '{"toString":1}', '"__proto__"'],
  ...["[null]", "[[]]", '[""]', "[0]", '{"":{}}', '"\ufeff"', '"é\u{1F600}"', "1e-400", "00", "'"],
];

/** fast-check's own unit for any character takes a second to make; these are the interesting ones. */
const unit = fc.constantFrom(
  ...["a", "b", "é", "\u{1F600}", "\u2028", "\ufeff", "\ud800", "\udfff", "\0", "\n", "\r", "\t"],
  ...'"\\/{}[]:, $.-\u007f\u0085\uffff',
);
const length = fc.oneof(
  { weight: 9, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.nat(LONG) },
);
const deep = fc.tuple(length, fc.constantFrom("[", '{"a":', '[{"a":'), fc.boolean()).map(
  ([depth, open, closed]) => {
    const close = open.replaceAll('"a":', "").split("").reverse().join("");
    const end = closed ? "1" + close.replaceAll("[", "]").replaceAll("{", "}").repeat(depth) : "";
    return open.repeat(depth) + end;
  },
);

/** Any value, as text; not always valid. */
export const anyValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...AWKWARD) },
  { weight: 4, arbitrary: fc.string({ unit, maxLength: 12 }).map((s) => JSON.stringify(s)) },
  { weight: 3, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 2, arbitrary: fc.double().map(String) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: length.map((length) => JSON.stringify("x".repeat(length))) },
);

/** A text as JSON. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("", "hi", "…", "a\nb", "\u2028", "\ud800", "x\u0000") },
  { weight: 1, arbitrary: fc.string({ unit, maxLength: 30 }) },
).map((value) => JSON.stringify(value));

/** One of these strings, as JSON. */
export function word(...words: string[]): fc.Arbitrary<string> {
  return fc.constantFrom(...words).map((value) => JSON.stringify(value));
}

/** A number that could be a count, as JSON. */
export const count: fc.Arbitrary<string> = fc.nat(100_000).map(String);

/** An array of such values, as JSON. */
export function list(item: fc.Arbitrary<string>, maxLength = 3): fc.Arbitrary<string> {
  return fc.array(item, { maxLength }).map((items) => `[${items.join(",")}]`);
}

/** An object with these members, most of the time. */
export function object(members: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<string> {
  const parts = Object.entries(members).map(([name, value]) => member(JSON.stringify(name), value));
  return fc.tuple(...parts).map((each) => `{${each.flat().join(",")}}`);
}

/** Mostly what it should be; each fate is only made up where it comes true. */
function member(key: string, value: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  return fc.oneof(
    { weight: 40, arbitrary: value.map((good) => [`${key}:${good}`]) },
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    { weight: 3, arbitrary: anyValue.map((odd) => [`${key}:${odd}`]) },
    {
      weight: 1,
      arbitrary: fc.tuple(anyValue, value).map((
        [odd, good],
      ) => [`${key}:${odd}`, `${key}:${good}`]),
    },
    { weight: 1, arbitrary: value.map((good) => [` ${key} :\t${good} `]) },
  );
}

import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import {
  isAllowed,
  withoutPlugin,
  withPlugin,
} from "../../../../plugin/operator/setup/plexum_json.ts";
import { parse } from "@std/jsonc";

const NAME = "plexum-openai-provider";

Deno.test("withPlugin adds the name behind the last item and leaves every comment in its place", () => {
  const text = `{
  // mine
  "agents": {}, // keep
  "plugins": {
    "allow": [
      "a", // first
      "b" // last
    ],
  },
}
`;
  const edited = withPlugin(text);
  assert.equal(
    edited,
    text.replace(`"b" // last\n`, `"b", // last\n      "${NAME}"\n`),
  );
  assert.equal(withPlugin(edited), edited);
  assert.equal(withoutPlugin(edited), text);
});

Deno.test("withPlugin makes what is missing, in the file's own style", () => {
  assert.equal(withPlugin(""), `{\n  "plugins": { "allow": ["${NAME}"] }\n}\n`);
  assert.equal(withPlugin(`{"plugins":{"allow":[]}}`), `{"plugins":{"allow":["${NAME}"]}}`);
  assert.equal(
    withPlugin(`\ufeff{\r\n\t"a": 1\r\n}\r\n`),
    `\ufeff{\r\n\t"a": 1,\r\n\t"plugins": { "allow": ["${NAME}"] }\r\n}\r\n`,
  );
  assert.equal(
    withPlugin(`{ "plugins": { "allow": ["a",] } }`),
    `{ "plugins": { "allow": ["a", "${NAME}",] } }`,
  );
  assert.equal(
    withPlugin(`{ // only this\n}`),
    `{ // only this\n  "plugins": { "allow": ["${NAME}"] }\n}`,
  );
});

Deno.test("withoutPlugin removes the name wherever it stands, and no comment with it", () => {
  const cases = [
    [`["${NAME}", "b"]`, `[ "b"]`],
    [`["a", "${NAME}"]`, `["a"]`],
    [`["${NAME}"]`, `[]`],
    [`["${NAME}", "a", "${NAME}",]`, `[ "a",]`],
    [`[\n  "a", // A\n  "${NAME}" // ours\n]`, `[\n  "a" // A\n  // ours\n]`],
    [`[\n  "${NAME}", // ours\n  "b"\n]`, `[\n // ours\n  "b"\n]`],
  ];
  for (const [list, left] of cases) {
    const edited = withoutPlugin(`{"plugins":{"allow":${list}}}`);
    const comments = (text = "") => text.match(/\/\/.*/g) ?? [];
    assert.deepEqual(comments(edited), comments(list));
    assert.deepEqual(parse(edited), parse(`{"plugins":{"allow":${left}}}`), edited);
  }
});

Deno.test("withPlugin and withoutPlugin keep every value and comment of any file", () => {
  const gap = fc.constantFrom("", " ", "\n", "\n    ", " // c\n", " /* c */ ", "\r\n\t");
  const item = fc.tuple(gap, fc.constantFrom(`"a"`, `{"x":[1,],}`, `"//"`, `"]"`), gap);
  const list = fc.tuple(fc.array(item, { maxLength: 4 }), fc.boolean(), gap).map(
    ([items, trailing, end]) =>
      `[${items.map((parts) => parts.join("")).join(",")}${
        trailing && items.length > 0 ? "," : ""
      }${end}]`,
  );
  fc.assert(
    fc.property(list, gap, gap, (allow, before, after) => {
      const text = `{${before}"plugins":${after}{"allow":${allow}}${before}}`;
      const edited = withPlugin(text);
      const before_ = parse(text) as { plugins: { allow: unknown[] } };
      assert.deepEqual(parse(edited), { plugins: { allow: [...before_.plugins.allow, NAME] } });
      const marks = (value: string) => value.match(/\/[/*] c/g)?.length ?? 0;
      assert.equal(marks(edited), marks(text));
      const back = withoutPlugin(edited);
      assert.deepEqual(parse(back), before_);
      assert.equal(marks(back), marks(text));
    }),
    { numRuns: 500 },
  );
});

Deno.test("a plexum.json that cannot be understood is refused with the reason", () => {
  assert.throws(() => isAllowed(`{\n "plugins": [,}\n`), /in line 2/);
  assert.throws(() => withPlugin(`[]`), /it is no object/);
  assert.throws(() => withPlugin(`{"plugins": 1}`), /"plugins" is no object/);
  assert.throws(() => withPlugin(`{"plugins": {"allow": "x"}}`), /"plugins.allow" is no list/);
});

import { strict as assert } from "node:assert";
import { join } from "@std/path";
import * as fc from "fast-check";
import { canMount, mountSmall } from "../../../support/mounted.ts";
import { skipped } from "../../../support/skipped.ts";
import { Folder } from "../command_line.ts";
import {
  allowChange,
  isAllowed,
  readPlexumJson,
  withoutPlugin,
  withPlugin,
} from "../../../../plugin/operator/setup/plexum_json.ts";
import { parse } from "@std/jsonc";

const NAME = "plexum-openai-provider";

Deno.test("withPlugin adds the name and leaves every comment in its place, withoutPlugin takes it back", () => {
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
  assert.equal(edited, text.replace(`"a", // first`, `"${NAME}",\n      "a", // first`));
  assert.equal(withPlugin(edited), edited);
  assert.equal(withoutPlugin(edited), text);
});

Deno.test("withPlugin makes what is missing, and keeps the byte order mark and the line ends", () => {
  const allowed = { plugins: { allow: [NAME] } };
  for (
    const text of ["", "{}", `{"plugins":{}}`, `{ // only this\n}`, `{"plugins":{"allow":[]}}`]
  ) {
    assert.deepEqual(parse(withPlugin(text)), allowed, text);
  }
  const windows = withPlugin(`\ufeff{\r\n\t"a": 1 // one\r\n}\r\n`);
  assert.match(windows, /^\ufeff\{\r\n\t"plugins": \{/);
  assert.match(windows, /\t"a": 1 \/\/ one\r\n\}\r\n$/);
  assert.doesNotMatch(windows, /(?<!\r)\n/);
});

Deno.test("withoutPlugin removes the name wherever it stands", () => {
  const cases = [
    [`["${NAME}", "b"]`, `["b"]`],
    [`["a", "${NAME}"]`, `["a"]`],
    [`["${NAME}"]`, `[]`],
    [`["${NAME}",]`, `[]`],
    [`["${NAME}", "a", "${NAME}",]`, `["a"]`],
  ];
  for (const [list, left] of cases) {
    const edited = withoutPlugin(`{"plugins":{"allow":${list}}}`);
    assert.deepEqual(parse(edited), parse(`{"plugins":{"allow":${left}}}`), edited);
  }
});

Deno.test("withPlugin keeps every value and comment of any file, and withoutPlugin takes it back", () => {
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
      assert.deepEqual(parse(edited), { plugins: { allow: [NAME, ...before_.plugins.allow] } });
      const marks = (value: string) => value.match(/\/[/*] c/g)?.length ?? 0;
      assert.equal(marks(edited), marks(text));
      assert.deepEqual(parse(withoutPlugin(edited)), before_);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a plexum.json that cannot be understood is refused with the reason", () => {
  assert.throws(() => isAllowed(`{\n "plugins": [,}\n`), /at line 2, column/);
  assert.throws(() => withPlugin(`[]`), /something else than an object/);
  assert.throws(() => withPlugin(`{"plugins": 1}`), /"plugins" is not an object/);
  assert.throws(() => withPlugin(`{"plugins": {"allow": "x"}}`), /"plugins.allow" is not a list/);
});

const KIB = 1024;

// The first is too large for its copy; beside the copy of the second there is no room for the edited one.
for (const [what, size] of [["the copy", 40 * KIB], ["the edited file", 26 * KIB]] as const) {
  Deno.test({
    name: `allowChange leaves plexum.json as it was where there is no room for ${what}`,
    ignore: skipped(!canMount(), "no file system may be mounted here"),
    async fn() {
      using folder = new Folder();
      using profile = mountSmall(folder.at("small"), 64 * KIB) ?? assert.fail();
      const path = join(profile.path, "plexum.json");
      const text = `{}\n// ${"x".repeat(size)}\n`;
      Deno.writeTextFileSync(path, text);
      await assert.rejects(async () => await allowChange(readPlexumJson(profile.path)).apply(), {
        message: /^Cannot write .*plexum\.json(?:\.bak)?: no space is left on the device$/,
      });
      assert.equal(Deno.readTextFileSync(path), text);
      const names = [...Deno.readDirSync(profile.path)].map(({ name }) => name).sort();
      const whole = what === "the copy" ? [] : ["plexum.json.bak"];
      assert.deepEqual(names, ["plexum.json", ...whole]);
      for (const name of whole) {
        assert.equal(Deno.readTextFileSync(join(profile.path, name)), text);
      }
    },
  });
}

Deno.test("allowChange keeps plexum.json as it was to the byte, also where it is no UTF-8", async () => {
  using folder = new Folder();
  const bytes = new Uint8Array([...new TextEncoder().encode("{} // "), 0xe9, 0x0a]);
  Deno.writeFileSync(folder.at("plexum.json"), bytes);
  await allowChange(readPlexumJson(folder.path)).apply();
  assert.deepEqual(Deno.readFileSync(folder.at("plexum.json.bak")), bytes);
});

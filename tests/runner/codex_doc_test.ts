/** docs/codex.md names tests; they must be there. */
import { strict as assert } from "node:assert";
import { fromFileUrl } from "@std/path";
import { ROWS } from "../e2e/failure_rows.ts";

const read = (path: string): string =>
  Deno.readTextFileSync(fromFileUrl(new URL(`../../${path}`, import.meta.url)));

Deno.test("docs/codex.md names tests that exist", () => {
  const doc = read("docs/codex.md");
  const named = [...doc.matchAll(/`(tests\/[\w/]+_test\.ts)`, "([^"]+)"/g)];
  assert.ok(named.length > 5);
  for (const [, file = "", name = ""] of named) {
    assert.ok(read(file).includes(name), `${file} has no test with "${name}" in its name`);
  }
});

Deno.test("docs/codex.md has every row of the failures that are provoked, and no other", () => {
  const doc = read("docs/codex.md");
  const errors = doc.slice(doc.indexOf("## Errors"), doc.indexOf("Other endings"));
  const documented = [...errors.matchAll(/\| "([^"]+)" +\|$/gm)].map(([, name]) => name);
  const tested = ROWS.map(({ name }) => name);
  assert.deepEqual(documented.sort(), tested.sort());
});

/** The table of error names against codex's own list, as kept and as the newest codex tells it. */
import { strict as assert } from "node:assert";
import { CODEX_NAMES, kindOfName, kindOfStatus } from "../../../runner/failure/error_names.ts";
import { codexBinary, NEWEST_CODEX } from "../../support/codex.ts";
import { type CodexErrorNames, codexErrorNames } from "../../support/codex_errors.ts";

const kept: CodexErrorNames = JSON.parse(
  Deno.readTextFileSync(new URL("../../fixtures/codex_error_names.json", import.meta.url)),
);

Deno.test("error names: every name of codex's own list is in the table", () => {
  const missing = kept.names.filter((name) => !Object.hasOwn(CODEX_NAMES, name));
  assert.deepEqual(missing, []);
});

Deno.test("error names: codex tells the list that is kept, the newest one no name more", async () => {
  const list = await codexErrorNames((await codexBinary(kept.version)).native);
  assert.deepEqual(list, kept.names, "run scripts/codex_errors.ts");
  const newest = await codexErrorNames((await codexBinary(NEWEST_CODEX)).native);
  assert.deepEqual(newest.filter((name) => !Object.hasOwn(CODEX_NAMES, name)), []);
});

Deno.test("error names: both spellings mean the same, and a strange one nothing", () => {
  assert.equal(kindOfName("bioPolicy"), kindOfName("bio_policy"));
  assert.equal(kindOfName("modelProviderNotConfigured"), "config");
  for (const name of ["", "constructor", "__proto__", "billing_report", "other"]) {
    assert.equal(kindOfName(name), undefined, name);
  }
  assert.equal(kindOfStatus(200), undefined);
});

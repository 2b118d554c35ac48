/**
 * The table of error names against codex's own list, as kept and as the newest codex tells it.
 */
import { strict as assert } from "node:assert";
import { CODEX_NAMES, kindOfName, kindOfStatus } from "../../../runner/failure/error_words.ts";
import { factsOf } from "../../../scripts/proof/codex/facts.ts";
import { keptVersions, readShape } from "../../../scripts/proof/codex/version_shape.ts";
import { codexBinary, NEWEST_CODEX } from "../../support/codex.ts";

const namesOf = (version: string) => readShape(version)?.facts["error names"] ?? [];
/** As the rollout has it. */
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

Deno.test("error names: every name of a kept version's own list is in the table", () => {
  const names = keptVersions().flatMap(namesOf).map(snakeCase);
  assert.ok(names.includes("usage_limit_exceeded"), names.join());
  assert.deepEqual(names.filter((name) => !Object.hasOwn(CODEX_NAMES, name)), []);
});

Deno.test("error names: the newest codex tells the list that is kept of it", async () => {
  const told = await factsOf((await codexBinary(NEWEST_CODEX)).native);
  assert.deepEqual(told["error names"], namesOf(NEWEST_CODEX), "run deno task codex");
});

Deno.test("error names: both spellings mean the same, and a strange one nothing", () => {
  assert.equal(kindOfName("bioPolicy"), kindOfName("bio_policy"));
  assert.equal(kindOfName("modelProviderNotConfigured"), "config");
  for (const name of ["", "constructor", "__proto__", "billing_report", "other"]) {
    assert.equal(kindOfName(name), undefined, name);
  }
  assert.equal(kindOfStatus(200), undefined);
});

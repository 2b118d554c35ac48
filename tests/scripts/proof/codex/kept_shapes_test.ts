/** The kept shapes of codex versions against what reads such lines: nothing seen may be unknown. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { KNOWN_LIMITS, knownLimit } from "../../../../scripts/proof/matrix/known_limits.ts";
import { COMPATIBILITY, withPart } from "../../../../scripts/proof/matrix/table.ts";
import { SCENARIOS } from "../../../../scripts/proof/matrix/scenarios.ts";
import {
  keptVersions,
  readShape,
  VERSIONS,
} from "../../../../scripts/proof/codex/version_shape.ts";
import { PAGES, unknownLines } from "../../../../scripts/proof/codex/page.ts";
import { NEWEST_CODEX, OLDEST_CODEX } from "../../../support/codex.ts";

Deno.test("every version of the matrix has a kept shape, and the suite's ends are in it", () => {
  assert.deepEqual(keptVersions(), VERSIONS.filter((version) => version !== "latest"));
  assert.ok(VERSIONS.includes(OLDEST_CODEX) && VERSIONS.includes(NEWEST_CODEX));
});

Deno.test("every line that a kept version printed or recorded is known, or passed by on purpose", () => {
  for (const version of keptVersions()) {
    const shape = readShape(version);
    assert.ok(shape !== undefined, version);
    assert.deepEqual(unknownLines(shape), [], version);
  }
});

Deno.test("every known limit belongs to a scenario and holds between its versions only", () => {
  for (const { scenario, id } of KNOWN_LIMITS) {
    assert.ok(SCENARIOS.some(({ name }) => name === scenario), `${id} is of no scenario`);
  }
  assert.equal(knownLimit("host-tool", "0.142.0"), undefined);
  assert.equal(knownLimit("host-tool", "0.142.5")?.id, "deferred");
  assert.equal(knownLimit("host-tool", "0.147.0"), undefined);
});

Deno.test("the compatibility page has a row for every scenario and a line for every limit", () => {
  const page = Deno.readTextFileSync(COMPATIBILITY);
  for (const { name } of SCENARIOS) assert.match(page, new RegExp(`^\\| ${name} `, "m"));
  for (const { id } of KNOWN_LIMITS) assert.ok(page.includes(`**${id}**`), id);
  assert.ok(existsSync(join(PAGES, `${NEWEST_CODEX}.md`)), "run: deno task codex VERSION");
  assert.ok(page.includes(`codex/${NEWEST_CODEX}.md`));
});

Deno.test("a part of a page is replaced between its marks only", () => {
  const page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n";
  const expected = "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n";
  assert.equal(withPart(page, "x", "new"), expected);
  assert.throws(() => withPart("none", "x", "new"), /no <!-- x: begin -->/);
});

/**
 * `deno task codex VERSION`: everything that is to be known of a version of codex, in a minute.
 *
 * Fetches it (once), runs it through every scenario of `codex/scenarios.ts`, keeps what it printed and
 * recorded in `tests/fixtures/VERSION/`, compares it with the version before it, plays the matrix on
 * it over every transport, and writes `docs/codex/VERSION.md`: what a maintainer must read.
 *
 *   --compare-only   keeps only what versions are compared by: no fixtures, no matrix, no page
 *
 * `latest` is what npm has under that name; several versions are done one after the other, the older
 * ones first. Exit 0 when nothing needs a person, 1 when something does (the page says what), 64 for
 * wrong arguments.
 */
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { compareVersions } from "../../runner/codex/capabilities.ts";
import { capture, writeFixtures } from "./codex/capture.ts";
import { type Difference, differences } from "./codex/shape.ts";
import { attention, page, PAGES, writeIndex } from "./codex/page.ts";
import { keptVersions, readShape, resolveVersions, writeShape } from "./codex/version_shape.ts";
import { playAll, TRANSPORTS } from "./matrix/run.ts";
import type { Transport } from "../../tests/support/lab.ts";
import { SCENARIOS } from "./matrix/scenarios.ts";
import type { Cells } from "./matrix/table.ts";
import { ROOT } from "../project.ts";

/** Learns all of one version; the number of things that a person must look at. */
async function learn(version: string, compareOnly: boolean): Promise<number> {
  const started = performance.now();
  const say = (text: string) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`codex ${version}: ${text} (${seconds} s)`);
  };
  const { captured, shape } = await capture(version);
  writeShape(shape);
  say(`${captured.length} scenarios captured`);
  if (compareOnly) return 0;
  const fixtures = join(ROOT, "tests", "fixtures", version);
  // Fixtures from before this script are other runs of the same names, which tests count on.
  if (!existsSync(fixtures) || existsSync(join(fixtures, "default-text"))) {
    writeFixtures(fixtures, captured);
  }
  const from = keptVersions().filter((other) => compareVersions(other, version) < 0).at(-1);
  const before = from === undefined ? undefined : readShape(from);
  const changes: Difference[] = before === undefined ? [] : differences(before, shape);
  say(`${changes.length} differences from ${from ?? "nothing: it is the oldest"}`);

  const matrix = new Map<Transport, Cells>();
  for (const transport of TRANSPORTS) {
    matrix.set(
      transport,
      await playAll(SCENARIOS, [version], transport, (scenario, _, cell) => {
        if (cell.verdict === "fail") say(`${transport} ${scenario.name}: ${cell.reason}`);
      }),
    );
    say(`matrix played over ${transport}`);
  }
  const todo = attention(shape, changes, matrix);
  Deno.mkdirSync(PAGES, { recursive: true });
  const path = join(PAGES, `${version}.md`);
  Deno.writeTextFileSync(path, page(version, from, todo, changes, matrix));
  writeIndex();
  say(`written: ${path}; for a person to look at: ${todo.length}`);
  return todo.length;
}

if (import.meta.main) {
  const words = Deno.args.filter((arg) => arg !== "--");
  const wanted = words.filter((word) => word !== "--compare-only");
  const wrong = wanted.find((word) => !/^(\d+\.\d+\.\d+[\w.-]*|latest)$/.test(word));
  if (wanted.length === 0 || wrong !== undefined) {
    console.error(wrong === undefined ? "which version?" : `no version of codex: ${wrong}`);
    console.error("usage: deno task codex [--compare-only] VERSION… (0.171.0, or latest)");
    Deno.exit(64);
  }
  let todo = 0;
  for (const version of (await resolveVersions(wanted)).sort(compareVersions)) {
    todo += await learn(version, words.includes("--compare-only"));
  }
  Deno.exit(todo === 0 ? 0 : 1);
}

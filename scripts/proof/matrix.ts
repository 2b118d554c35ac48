/**
 * `deno task matrix`: every scenario of the host's contract, on every version of codex that matters.
 *
 * Runs the compiled plugin with real codex binaries (fetched from npm once) against the scripted
 * model and prints a table: pass, known limit, or fail. Exit 0 when nothing failed, else 1; 64 for
 * wrong options.
 *
 *   --versions a,b    instead of all; `latest` is what npm has under that name
 *   --scenarios x,y   instead of all
 *   --drift           no scenarios: what changed in codex's lines and flags from version to version
 *                     (also told after the table for a version that is not known yet), and
 *                     whether the decoder knows every name in codex's own TypeScript package
 *   --json            the same as JSON on stdout
 *   --write           also brings docs/compatibility.md and the kept shapes up to date
 */
import { parseArgs } from "node:util";
import { compareVersions } from "../../runner/codex/capabilities.ts";
import { writeCells, writeDrift } from "./matrix/document.ts";
import { describe } from "./matrix/drift.ts";
import { driftOf, type DriftStep } from "./matrix/drift_run.ts";
import { playAll } from "./matrix/run.ts";
import type { Scenario } from "./matrix/scenario.ts";
import { namesIn, sdkTypes, unknownNames } from "./matrix/sdk.ts";
import { SCENARIOS } from "./matrix/scenarios.ts";
import { type Cells, cellTable, limitList } from "./matrix/table.ts";
import { readShape } from "./matrix/version_shape.ts";
import { latestVersion, resolveVersions, VERSIONS } from "./matrix/versions.ts";

interface Options {
  versions: string[];
  scenarios: readonly Scenario[];
  drift: boolean;
  json: boolean;
  write: boolean;
}

/** Throws TypeError for options that are none. */
async function optionsOf(args: string[]): Promise<Options> {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      versions: { type: "string" },
      scenarios: { type: "string" },
      drift: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const scenarios = values.scenarios?.split(",").map((name) => {
    const scenario = SCENARIOS.find((scenario) => scenario.name === name);
    if (scenario) return scenario;
    const known = SCENARIOS.map(({ name }) => name).join(", ");
    throw new TypeError(`no scenario ${JSON.stringify(name)}; there are: ${known}`);
  });
  const wanted = values.versions?.split(",") ?? VERSIONS;
  const wrong = wanted.find((version) => !/^(\d+\.\d+\.\d+[\w.-]*|latest)$/.test(version));
  if (wrong !== undefined) throw new TypeError(`no version of codex: ${JSON.stringify(wrong)}`);
  const { drift, json, write } = values;
  const whole = values.versions === undefined && scenarios === undefined;
  if (write && !drift && !whole) {
    throw new TypeError("--write needs every version and every scenario, or --drift");
  }
  const versions = (await resolveVersions(wanted)).sort(compareVersions);
  return { versions, scenarios: scenarios ?? SCENARIOS, drift, json, write };
}

async function matrix(options: Options): Promise<boolean> {
  const { versions, scenarios, json, write } = options;
  const atOnce = Math.min(4, navigator.hardwareConcurrency);
  const say = json ? console.error : console.log;
  const cells = await playAll(scenarios, versions, atOnce, (scenario, version, cell) => {
    if (cell.verdict !== "pass") {
      const why = cell.verdict === "limit" ? cell.id : cell.reason;
      say(`${version} ${scenario.name}: ${cell.verdict}: ${why}`);
    }
  });
  if (json) console.log(JSON.stringify(asJson(cells), null, 2));
  else console.log(`\n${cellTable(cells, scenarios, versions)}\n\n${limitList(cells)}`.trimEnd());
  const all = [...cells.values()].flatMap((row) => [...row.values()]);
  const count = (verdict: string) => all.filter((cell) => cell.verdict === verdict).length;
  if (write) await writeCells(cells, versions, await latestVersion());
  const unknown = versions.filter((version) => readShape(version) === undefined);
  if (unknown.length > 0) tell(await driftOf(unknown, { fresh: false }), say);
  say(`\nmatrix: ${count("pass")} pass, ${count("limit")} known limits, ${count("fail")} fail`);
  return count("fail") === 0;
}

function asJson(cells: Cells): unknown {
  return [...cells].flatMap(([scenario, row]) =>
    [...row].map(([version, cell]) => ({ scenario, version, ...cell }))
  );
}

async function drift({ versions, json, write }: Options): Promise<boolean> {
  const steps = await driftOf(versions, { fresh: write });
  if (json) console.log(JSON.stringify(steps, null, 2));
  else tell(steps, console.log);
  if (write) await writeDrift();
  const { version, text } = await sdkTypes("latest");
  const names = namesIn(text);
  const unknown = unknownNames(names);
  const count = names.events.length + names.items.length;
  console.error(
    `\n@openai/codex-sdk ${version}: ` +
      (unknown.length === 0 ? `all ${count} names are known` : `not known: ${unknown.join(", ")}`),
  );
  return unknown.length === 0;
}

function tell(steps: DriftStep[], say: (line: string) => void): void {
  for (const { from, to, differences } of steps) {
    say(`\ncodex ${from} → ${to}: ${differences.length} differences`);
    for (const difference of differences) say(`  ${describe(difference)}`);
  }
}

if (import.meta.main) {
  let options: Options;
  try {
    options = await optionsOf(Deno.args);
  } catch (error) {
    console.error(`matrix: ${error instanceof Error ? error.message : error}`);
    Deno.exit(64);
  }
  const fine = options.drift ? await drift(options) : await matrix(options);
  Deno.exit(fine ? 0 : 1);
}

/**
 * `deno task matrix`: every scenario of the host's contract, on every version of codex that matters.
 *
 * Runs the compiled plugin with real codex binaries (fetched from npm once) against the scripted
 * model and prints a table: pass, known limit, skipped (this machine cannot), or fail. Exit 0 when nothing failed, else 1; 64 for
 * wrong options. What changed in codex itself is `deno task codex`'s business.
 *
 *   --versions a,b    instead of all; `latest` is what npm has under that name
 *   --scenarios x,y   instead of all
 *   --transport t     `exec`, `app-server` or `both`, which is what is left out means
 *   --json            the cells as JSON on stdout
 *   --write           also brings docs/compatibility.md up to date
 */
import { parseArgs } from "node:util";
import { compareVersions } from "../../runner/codex/capabilities.ts";
import { latestVersion, resolveVersions, VERSIONS } from "./codex/version_shape.ts";
import { type Cells, cellTable, count, limitList, writeCells } from "./matrix/table.ts";
import { playAll, TRANSPORTS } from "./matrix/run.ts";
import type { Transport } from "../../tests/support/lab.ts";
import { SCENARIOS } from "./matrix/scenarios.ts";

type Options = Awaited<ReturnType<typeof optionsOf>>;

/** Throws TypeError for options that are none. */
async function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      versions: { type: "string" },
      scenarios: { type: "string" },
      transport: { type: "string", default: "both" },
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
  const transports = TRANSPORTS.filter((name) => [name, "both"].includes(values.transport));
  if (transports.length === 0) throw new TypeError(`no transport: ${values.transport}`);
  const { json, write } = values;
  const whole = values.versions === undefined && scenarios === undefined;
  if (write && !(whole && transports.length === TRANSPORTS.length)) {
    throw new TypeError("--write needs every version, scenario and transport");
  }
  const versions = (await resolveVersions(wanted)).sort(compareVersions);
  return { versions, scenarios: scenarios ?? SCENARIOS, transports, json, write };
}

async function matrix(options: Options): Promise<boolean> {
  const { versions, scenarios, transports, json, write } = options;
  const say = json ? console.error : console.log;
  const all = new Map<Transport, Cells>();
  for (const transport of transports) {
    const cells = await playAll(scenarios, versions, transport, (scenario, version, cell) => {
      if (cell.verdict === "pass") return;
      const why = cell.verdict === "limit" ? cell.id : cell.reason;
      say(`${version} ${transport} ${scenario.name}: ${cell.verdict}: ${why}`);
    });
    all.set(transport, cells);
    const columns = versions.filter((version) =>
      [...cells.values()].some((row) => row.has(version))
    );
    if (!json) say(`\n${transport}\n\n${cellTable(cells, scenarios, columns)}\n`);
  }
  if (json) console.log(JSON.stringify([...all].flatMap(asJson), null, 2));
  else console.log(limitList([...all.values()]));
  if (write) await writeCells(all, versions, await latestVersion());
  const total = (verdict: string) => count([...all.values()], verdict);
  say(
    `\nmatrix: ${total("pass")} pass, ${total("limit")} known limits, ${total("skip")} skipped, ` +
      `${total("fail")} fail`,
  );
  return total("fail") === 0;
}

function asJson([transport, cells]: [Transport, Cells]): unknown[] {
  return [...cells].flatMap(([scenario, row]) =>
    [...row].map(([version, cell]) => ({ transport, scenario, version, ...cell }))
  );
}

if (import.meta.main) {
  let options: Options;
  try {
    options = await optionsOf(Deno.args);
  } catch (error) {
    console.error(`matrix: ${error instanceof Error ? error.message : error}`);
    Deno.exit(64);
  }
  Deno.exit(await matrix(options) ? 0 : 1);
}

/**
 * `deno task fuzz -- [--cases N] [--seed S] [--target NAME]`: runs N cases over all targets, each in
 * a process of its own, after the cases that failed once (`tests/fuzz_regressions`).
 *
 * A failure ends its target; the smallest case found is kept there, and the exit code is 1. Whatever
 * is kept is run by the test suite from then on.
 */
import { parseArgs } from "node:util";
import { join } from "@std/path";
import { type Outcome, supervise } from "./fuzz/supervisor.ts";
import { hashOf, type TargetEntry, TARGETS } from "./fuzz/target.ts";
import { namesIn } from "../../tests/support/files.ts";
import { ROOT } from "../project.ts";
import { row } from "../table.ts";

/** Where failing cases are kept, by target. */
const REGRESSIONS = join(ROOT, "tests", "fuzz_regressions");

/** The kept cases of a target. */
export function keptCases(target: TargetEntry): string[] {
  const directory = join(REGRESSIONS, target.name);
  return namesIn(directory).map((name) => join(directory, name));
}

/** How many of `cases` each target gets, by its share. */
export function divide(cases: number, targets: readonly TargetEntry[]): Map<TargetEntry, number> {
  const whole = targets.reduce((sum, { share }) => sum + share, 0);
  return new Map(targets.map((target) => [target, Math.ceil(cases * target.share / whole)]));
}

function keep(target: TargetEntry, bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "before its first case";
  const directory = join(REGRESSIONS, target.name);
  Deno.mkdirSync(directory, { recursive: true });
  const path = join(directory, `${hashOf(bytes).toString(16).padStart(8, "0")}.bin`);
  Deno.writeFileSync(path, bytes);
  return path;
}

function cells(name: string, outcome: Outcome, result: string): unknown[] {
  const { cases, kept, seconds, peakMiB } = outcome;
  const rate = Math.round(cases / Math.max(seconds, 0.001));
  return [name, cases, kept, Math.round(seconds), rate, peakMiB, result];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args.filter((arg) => arg !== "--"),
    options: {
      cases: { type: "string", default: "20000" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      target: { type: "string" },
    },
  });
  const targets = TARGETS.filter(({ name }) => [undefined, name].includes(values.target));
  if (targets.length === 0) {
    console.error(`no target ${values.target}; there are ${TARGETS.map(({ name }) => name)}`);
    return 2;
  }
  const seed = Number(values.seed);
  console.error(`seed ${seed}`);
  console.log("| target | cases | kept cases | s | cases/s | peak MiB | result |");
  console.log("|---|---:|---:|---:|---:|---:|---|");
  let code = 0;
  for (const [target, cases] of divide(Number(values.cases), targets)) {
    const outcome = await supervise({ target, cases, seed, kept: keptCases(target) });
    const { failure } = outcome;
    if (failure === undefined) {
      console.log(row(cells(target.name, outcome, "ok")));
      continue;
    }
    code = 1;
    const path = keep(target, failure.bytes);
    console.log(row(cells(target.name, outcome, `FAILED: ${path}`)));
    console.error(failure.message);
  }
  return code;
}

if (import.meta.main) Deno.exit(await main());

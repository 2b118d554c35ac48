/**
 * `deno task bench [name…] [--record]`: runs the benchmarks in scripts/proof/bench, one after the other and
 * each in a process of its own. They print figures for people; what counts in them are ratios within
 * one run, because absolute times differ from machine to machine and from hour to hour.
 *
 * The ratios are compared with the last recorded ones, and what got worse by more than its noise is
 * named. `--record` records the new ones; docs/ shows those.
 */
import { join } from "@std/path";
import { type Figure, FIGURES_FILE, reached, regressions } from "./bench/figures/figure.ts";
import {
  machine,
  readLast,
  record,
  type Recorded,
  versions,
  writeLast,
} from "./bench/figures/page.ts";
import { ROOT } from "../project.ts";

const wanted = Deno.args.filter((arg) => !arg.startsWith("-"));
const directory = join(ROOT, "scripts", "proof", "bench");
const names = [...Deno.readDirSync(directory)]
  .map((entry) => entry.name)
  .filter((name) => name.endsWith(".ts"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
if (names.length === 0) {
  console.error(`Cannot find a benchmark in ${directory} for: ${wanted.join(" ")}`);
  Deno.exit(64);
}
const file = Deno.makeTempFileSync({ suffix: ".jsonl" });
let failures = 0;
for (const name of names) {
  console.log(`\n── ${name.replace(/\.ts$/, "")}`);
  const run = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(directory, name)],
    cwd: ROOT,
    env: { [FIGURES_FILE]: file },
    stdin: "null",
  });
  const { success, code, signal } = await run.spawn().status;
  if (success) continue;
  failures++;
  console.error(`${name} failed: ${signal ?? `exit code ${code}`}`);
}
const lines = Deno.readTextFileSync(file).split("\n").filter(Boolean);
Deno.removeSync(file);
const figures = lines.map((line) => JSON.parse(line) as Figure);
const last = readLast();
for (const one of figures.filter((one) => !reached(one))) {
  console.log(`goal missed: ${one.question}, ${one.name}`);
}
for (const warning of regressions(last, figures)) console.log(`worse than recorded: ${warning}`);
if (Deno.args.includes("--record")) {
  const origin = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: await versions(),
  };
  const all = record(last, figures.map((one): Recorded => ({ ...one, ...origin })));
  writeLast(all);
  const docs = { args: ["run", "--allow-all", join(ROOT, "scripts", "docs.ts")], cwd: ROOT };
  await new Deno.Command(Deno.execPath(), docs).spawn().status;
}
Deno.exit(failures === 0 ? 0 : 1);

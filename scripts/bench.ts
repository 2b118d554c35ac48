/**
 * `deno task bench [name…]`: runs the benchmarks in scripts/bench, one after the other and each in a
 * process of its own. They print figures for people; what counts in them are ratios within one run,
 * because absolute times differ from machine to machine and from hour to hour.
 */
import { join } from "@std/path";
import { ROOT } from "./project.ts";

const directory = join(ROOT, "scripts", "bench");
const names = [...Deno.readDirSync(directory)]
  .map((entry) => entry.name)
  .filter((name) => name.endsWith(".ts"))
  .filter((name) => Deno.args.length === 0 || Deno.args.some((wanted) => name.includes(wanted)))
  .sort();
if (names.length === 0) {
  console.error(`Cannot find a benchmark in ${directory} for: ${Deno.args.join(" ")}`);
  Deno.exit(64);
}
let failures = 0;
for (const name of names) {
  console.log(`\n── ${name.replace(/\.ts$/, "")}`);
  const run = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(directory, name)],
    cwd: ROOT,
    stdin: "null",
  });
  const { success, code, signal } = await run.spawn().status;
  if (success) continue;
  failures++;
  console.error(`${name} failed: ${signal ?? `exit code ${code}`}`);
}
Deno.exit(failures === 0 ? 0 : 1);

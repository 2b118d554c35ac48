/**
 * `deno task test [files…] [--filter=…]`: everything the tests need, then the tests.
 *
 * Test files run side by side, half as many again as there are processors, because a test waits for
 * codex a third of its time; those that measure time or load the machine run one by one after them.
 * Types are checked once for all of them, beside them. Deno is started directly, never through the npm
 * wrapper (which reports success when Deno was killed). Its leak checks are switched on by environment variables,
 * because the setting in deno.json exists in newer versions only. The last line is always
 * `N passed, N failed`, and the exit code is 0 only when something passed and nothing failed.
 */
import { existsSync } from "node:fs";
import { resolve } from "@std/path";
import { TextLineStream } from "@std/streams";
import { codexBinary, SUITE_CODEX } from "../tests/support/codex.ts";
import { npmPackage, PACKAGES } from "../tests/support/npm_package.ts";
import { upToDateExecutable } from "./executable.ts";
import { ROOT } from "./project.ts";

/** What a test run came to. */
export interface Outcome {
  passed: number;
  failed: number;
  /** Why the run failed although no test did. */
  trouble?: string;
}

/** Files that disturb others beside them, or are disturbed: they fill the machine, or change the PATH. */
const ONE_BY_ONE = [
  ...["tests/e2e/flood_test.ts", "tests/e2e/hostile_test.ts", "tests/e2e/many_deaf_test.ts"],
  "tests/runner/process/other_grep_test.ts",
];

/** The counts in Deno's summary line, or undefined when the line is not one. */
export function summary(line: string): Outcome | undefined {
  // deno-lint-ignore no-control-regex
  const plain = line.replace(/\x1b\[[0-9;]*m/g, "").trim();
  const steps = String.raw`(?: \(\d+ steps?\))?`;
  const pattern = new RegExp(`^(?:ok|FAILED) \\| (\\d+) passed${steps} \\| (\\d+) failed`);
  const match = pattern.exec(plain);
  return match === null ? undefined : { passed: Number(match[1]), failed: Number(match[2]) };
}

/**
 * What a finished run of Deno came to: the counts, plus one failure when its end does not go with
 * them (died, failed without a failed test).
 */
export function outcome(counts: Outcome | undefined, status: Deno.CommandStatus): Outcome {
  const { passed, failed } = counts ?? { passed: 0, failed: 0 };
  const trouble = status.signal !== null
    ? `deno was ended by ${status.signal}`
    : counts === undefined
    ? `deno ended without a summary, exit code ${status.code}`
    : status.code !== 0 && failed === 0
    ? `deno failed with exit code ${status.code}, although no test did`
    : undefined;
  return trouble === undefined ? { passed, failed } : { passed, failed: failed + 1, trouble };
}

/** What several runs came to, plus one failure when no test ran in any of them. */
export function sum(outcomes: readonly Outcome[]): Outcome {
  const [passed, failed] = [
    outcomes.reduce((sum, { passed }) => sum + passed, 0),
    outcomes.reduce((sum, { failed }) => sum + failed, 0),
  ];
  const troubles = outcomes.flatMap(({ trouble }) => trouble ?? []);
  if (passed + failed === 0) return { passed, failed: 1, trouble: "no test ran" };
  return { passed, failed, ...(troubles.length > 0 ? { trouble: troubles.join("\n") } : {}) };
}

/** Runs the tests; `args` are files, folders and options for `deno test`. */
async function runTests(args: string[]): Promise<Outcome> {
  const wanted = args.filter(exists).map((path) => path.replace(/\/$/, ""));
  const options = args.filter((arg) => !exists(arg));
  const paths = wanted.length === 0 ? ["tests"] : wanted;
  const alone = ONE_BY_ONE.filter((file) =>
    paths.some((path) => file === path || file.startsWith(`${path}/`))
  );
  const beside = paths.filter((path) => !alone.includes(path));
  const types = typeCheck(paths);
  const outcomes: Outcome[] = [];
  if (beside.length > 0) {
    outcomes.push(await denoTest(["--parallel", `--ignore=${ONE_BY_ONE}`, ...options, ...beside]));
  }
  const checked = await types;
  if (alone.length > 0) outcomes.push(await denoTest([...options, ...alone]));
  const result = sum(outcomes);
  if (checked) return result;
  const trouble = [result.trouble, "types do not fit: the reason stands above"].filter(Boolean);
  return { ...result, failed: result.failed + 1, trouble: trouble.join("\n") };
}

/** Whether the types of these files fit; what does not is told on stderr. */
async function typeCheck(paths: string[]): Promise<boolean> {
  const args = ["check", "--quiet", "--frozen", ...paths];
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" });
  return (await command.spawn().status).success;
}

async function denoTest(args: string[]): Promise<Outcome> {
  const { RUST_BACKTRACE: _, RUST_LIB_BACKTRACE: __, ...env } = Deno.env.toObject();
  if (!Deno.stdout.isTerminal()) env["NO_COLOR"] = "1";
  env["DENO_JOBS"] ||= String(Math.ceil(navigator.hardwareConcurrency * 1.5));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--no-check", "--allow-all", "--frozen", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...env, DENO_TEST_SANITIZE_OPS: "1", DENO_TEST_SANITIZE_RESOURCES: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let counts: Outcome | undefined;
  const [shown, read] = child.stdout.tee();
  const showing = shown.pipeTo(Deno.stdout.writable, { preventClose: true });
  const lines = read.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) counts = summary(line) ?? counts;
  await showing;
  return outcome(counts, await child.status);
}

/** Whether an argument is a file or folder, and not an option or an option's value. */
function exists(argument: string): boolean {
  return existsSync(resolve(ROOT, argument));
}

/** Fetches what the tests would otherwise fetch in the middle of a test. */
async function fetchAll(): Promise<void> {
  for (const version of SUITE_CODEX) await codexBinary(version);
  for (const wanted of PACKAGES) await npmPackage(wanted);
}

if (import.meta.main) {
  const skips = Deno.makeTempFileSync();
  Deno.env.set("PLEXUM_TEST_SKIPPED", skips);
  let result: Outcome;
  try {
    Deno.env.set("PLEXUM_TEST_EXECUTABLE", JSON.stringify(await upToDateExecutable()));
    await fetchAll();
    result = await runTests(Deno.args);
  } catch (error) {
    result = { passed: 0, failed: 1, trouble: error instanceof Error ? error.message : `${error}` };
  }
  for (const reason of new Set(Deno.readTextFileSync(skips).split("\n"))) console.log(reason);
  if (result.trouble !== undefined) console.log(`\n${result.trouble}`);
  Deno.removeSync(skips);
  console.log(`${result.passed} passed, ${result.failed} failed`);
  Deno.exit(result.failed === 0 ? 0 : 1);
}

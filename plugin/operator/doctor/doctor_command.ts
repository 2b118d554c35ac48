/**
 * `doctor`: is everything there that a turn needs? Every check says what to do about what it finds.
 *
 * @module
 */
import { loadConfig, type LoadedConfig, parseConfig } from "../../config/config.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { redact } from "../../log.ts";
import { runtimeDirectory } from "../../profile.ts";
import { self } from "../../self.ts";
import { COMMIT, VERSION } from "../../version.ts";
import type { Arguments } from "../cli/arguments.ts";
import { type Check, fail, type Finding, type Status, type World } from "./check.ts";
import { CODEX_CHECKS } from "./checks_codex.ts";
import { CODEX_HOME_CHECKS } from "./checks_codex_home.ts";
import { MACHINE_CHECKS } from "./checks_machine.ts";
import { PLUGIN_CHECKS } from "./checks_plugin.ts";
import { STATE_CHECKS } from "./checks_state.ts";
import { EXIT } from "../cli/exit.ts";
import { profileOf } from "../cli/profile_option.ts";
import { columns, oneLine, paintFor, print, wrap } from "../cli/terminal.ts";

/** Of the JSON output; raised when a field changes its meaning. */
const SCHEMA = 1;

interface Result extends Required<Finding> {
  id: string;
}

/** `doctor`. */
export async function doctor(args: Arguments): Promise<number> {
  const world = worldOf(args);
  const deep = args.has("deep") ? [(await import("./check_turn.ts")).TURN_CHECK] : [];
  const checks = [
    ...PLUGIN_CHECKS,
    ...STATE_CHECKS,
    ...CODEX_CHECKS,
    ...CODEX_HOME_CHECKS,
    ...MACHINE_CHECKS,
    ...deep,
  ];
  const json = args.has("json");
  const results: Result[] = [];
  for (const check of checks) {
    const result = await carryOut(check, world);
    results.push(result);
    if (!json) print(forPeople(result, columns()));
  }
  const status = worst(results);
  if (json) {
    const plugin = { version: VERSION, commit: COMMIT };
    print(JSON.stringify({ schema: SCHEMA, plugin, status, checks: results }, null, 2));
  } else print(`\n${wrap(tally(results), columns())}`);
  return status === "fail" ? EXIT.failed : EXIT.ok;
}

function worldOf(args: Arguments): World {
  const paths = profileOf(args);
  let loaded: LoadedConfig;
  let configError: string | undefined;
  try {
    loaded = loadConfig(paths.config);
  } catch (error) {
    configError = errorMessage(error);
    loaded = parseConfig("{}", paths.config);
  }
  return {
    paths,
    environment: Deno.env.toObject(),
    config: loaded.config,
    configError,
    configWarnings: loaded.warnings,
    runtimeDirectory: runtimeDirectory((name) => Deno.env.get(name)),
    executable: self(Deno.mainModule),
  };
}

async function carryOut({ id, run }: Check, world: World): Promise<Result> {
  let finding: Finding;
  try {
    finding = await run(world);
  } catch (error) {
    finding = fail("the check itself failed", "Please report this.", errorMessage(error));
  }
  const { status, summary, detail = "", remedy = "" } = finding;
  const clean = (text: string) => String(redact(text));
  return { id, status, summary: clean(summary), detail: clean(detail), remedy: clean(remedy) };
}

const SIGNS: Record<Status, ["green" | "yellow" | "red", string]> = {
  ok: ["green", "ok  "],
  warn: ["yellow", "WARN"],
  fail: ["red", "FAIL"],
};

function forPeople({ id, status, summary, detail, remedy }: Result, width: number): string {
  const paint = paintFor(Deno.stdout);
  const [colour, sign] = SIGNS[status];
  const narrow = width < 60;
  const indent = narrow ? "  " : " ".repeat(27);
  const text = (line: string) => wrap(oneLine(line), width - indent.length, indent);
  const head = `${paint(colour, sign)} ${narrow ? id : id.padEnd(22)}`;
  const lines = [`${head}${narrow ? `\n${indent}` : ""}${text(summary)}`];
  if (detail !== "" && status !== "ok") lines.push(indent + paint("dim", text(detail)));
  if (remedy !== "") lines.push(`${indent}${paint("bold", "→")} ${text(remedy)}`);
  return lines.join("\n");
}

function worst(results: readonly Result[]): Status {
  const has = (status: Status) => results.some((result) => result.status === status);
  return has("fail") ? "fail" : has("warn") ? "warn" : "ok";
}

function tally(results: readonly Result[]): string {
  const count = (status: Status) => results.filter((result) => result.status === status).length;
  const failed = count("fail");
  const warned = count("warn");
  if (failed + warned === 0) return `All ${results.length} checks are fine.`;
  return `${
    count("ok")
  } of ${results.length} checks are fine, ${warned} to know about, ${failed} failed.`;
}

/**
 * `doctor`: is everything there that a turn needs? Every check says what to do about what it finds.
 *
 * @module
 */
import { errorMessage } from "../../../base/error_message.ts";
import { loadConfig, type LoadedConfig, parseConfig } from "../../config/config.ts";
import { redact } from "../../log.ts";
import { exists } from "../../../base/files.ts";
import { runtimeDirectory } from "../../profile.ts";
import { COMMIT, self, VERSION } from "../../self.ts";
import { type Arguments, profileOf } from "../cli/arguments.ts";
import { EXIT, PROFILE } from "../cli/command.ts";
import {
  columns,
  count,
  oneLine,
  paintFor,
  print,
  printJson,
  type Style,
} from "../cli/terminal.ts";
import { padTo, Progress, widthOf, wrap } from "../cli/text.ts";
import { type Check, DoctorContext, fail, type Finding, GROUPS, type Status } from "./check.ts";
import { accountChecks, CODEX_CHECKS, TESTED_CHECK } from "./checks_codex.ts";
import { MACHINE_CHECKS } from "./checks_machine.ts";
import { PLUGIN_CHECKS, TURN_CHECKS } from "./checks_plugin.ts";

/** Of the JSON output; raised when a field changes its meaning. */
const SCHEMA = 2;

/** `doctor`. */
export async function doctor(args: Arguments): Promise<number> {
  const deep = args.has("deep") ? [(await import("./check_turn.ts")).TURN_CHECK] : [];
  const results: Result[] = [];
  {
    using progress = new Progress();
    const context = contextOf(args, (doing) => progress.now(doing));
    const checks = [
      ...PLUGIN_CHECKS,
      ...CODEX_CHECKS,
      ...accountChecks(context.facts.config),
      ...MACHINE_CHECKS,
      ...TURN_CHECKS,
      ...deep,
      TESTED_CHECK,
    ];
    for (const check of checks) {
      progress.now(`checking ${check.id}`);
      results.push(await carryOut(check, context, results));
    }
  }
  const status =
    (["fail", "warn"] as const).find((status) =>
      results.some((result) => result.status === status)
    ) ?? "ok";
  if (args.has("json")) {
    const plugin = { version: VERSION, commit: COMMIT };
    printJson({ schema: SCHEMA, plugin, status, checks: results }, 2);
  } else print(doctorText(results, { verbose: args.has("verbose"), width: columns() }));
  return status === "fail" ? EXIT.failed : EXIT.ok;
}

function contextOf(args: Arguments, progress: (doing: string) => void): DoctorContext {
  const paths = profileOf(args);
  let loaded: LoadedConfig;
  let configError: string | undefined;
  try {
    loaded = loadConfig(paths.config);
  } catch (error) {
    configError = errorMessage(error);
    loaded = parseConfig("{}", paths.config);
  }
  return new DoctorContext({
    paths,
    config: loaded.config,
    configError,
    configWarnings: loaded.warnings,
    environment: Deno.env.toObject(),
    runtimeDirectory: runtimeDirectory(
      (name) => Deno.env.get(name),
      // Before the first turn there is none, and nothing is made here.
      exists(paths.state) ? paths.state : paths.plugin,
    ),
    executable: self(Deno.mainModule),
    namedProfile: args.text(PROFILE.name),
    progress,
  });
}

/** A check whose ground is missing is skipped, and says what that hangs on in the end. */
async function carryOut(
  { id, group, needs = [], run }: Check,
  context: DoctorContext,
  before: readonly Result[],
): Promise<Result> {
  const missing = before.find(({ id, status }) =>
    needs.includes(id) && (status === "fail" || status === "skipped")
  );
  const cause = missing?.cause ?? missing?.id;
  let finding: Finding;
  if (cause !== undefined) finding = { status: "skipped", summary: `not checked: ${cause} failed` };
  else {
    try {
      finding = await run(context);
    } catch (error) {
      finding = fail("the check itself failed", {
        detail: errorMessage(error),
        remedy: "Please report this.",
      });
    }
  }
  const { status, summary, detail = "", remedy = "", command = "" } = finding;
  const clean = (text: string) => String(redact(text));
  return {
    id,
    group,
    status,
    summary: clean(summary),
    detail: clean(detail),
    remedy: clean(remedy),
    command,
    ...(cause === undefined ? {} : { cause }),
  };
}

/*
 * What the doctor found, for people: what is wrong, the worst first; what is fine only as a number.
 */

/** What a check came to; texts that are not there are empty. */
interface Result extends Required<Finding>, Pick<Check, "id" | "group"> {
  /** The check that failed and because of which this one was skipped. */
  cause?: string;
}

const SIGNS: Readonly<Record<Status, [Style, string]>> = {
  fail: ["red", "FAIL"],
  warn: ["yellow", "WARN"],
  skipped: ["dim", "skip"],
  ok: ["green", "ok"],
};
const LEFT = "     ";
/** Longer details are cut, unless all is to be told. */
const DETAIL_LINES = 4;

/** The whole report. */
function doctorText(
  results: readonly Result[],
  { verbose, width }: { verbose: boolean; width: number },
): string {
  const show = (result: Result) => resultText(result, { verbose, width });
  const parts = verbose
    ? GROUPS.flatMap((group) => {
      const of = results.filter((result) => result.group === group);
      return of.length === 0
        ? []
        : [`${paintFor(Deno.stdout)("bold", group)}\n${of.map(show).join("\n")}`];
    })
    : (["fail", "warn"] as const).flatMap((status) =>
      results.filter((result) => result.status === status).map(show)
    );
  return [...parts, wrap(tally(results, verbose), width)].join(verbose ? "\n\n" : "\n");
}

function resultText(
  { id, status, summary, detail, remedy, command }: Result,
  { verbose, width }: { verbose: boolean; width: number },
): string {
  const paint = paintFor(Deno.stdout);
  const [colour, sign] = SIGNS[status];
  const narrow = width < 60;
  const indent = " ".repeat(narrow ? 2 : 27);
  const text = (line: string, more = "") =>
    wrap(oneLine(line), width - indent.length - widthOf(more), indent + more);
  // A long path begins further left rather than being broken by the terminal.
  const placed = (line: string) =>
    `${!narrow && !line.includes(" ") && widthOf(line) > width - indent.length ? LEFT : indent}${
      paint("dim", text(line))
    }`;
  const head = `${paint(colour, padTo(sign, 4))} ${narrow ? id : padTo(id, 22)}`;
  const lines = [`${head}${narrow ? `\n${indent}` : ""}${text(summary)}`];
  const details = detail === "" || (status === "ok" && !verbose) ? [] : detail.split("\n");
  const shown = verbose ? details : details.slice(0, DETAIL_LINES);
  lines.push(...shown.map(placed));
  if (details.length > shown.length) {
    lines.push(`${indent}${paint("dim", `and ${details.length - shown.length} more (--verbose)`)}`);
  }
  if (remedy !== "" || command !== "") {
    lines.push(`${indent}${paint("bold", "→")} ${text(remedy === "" ? "Run:" : remedy, "  ")}`);
  }
  // Never broken: it is to be copied.
  if (command !== "") lines.push(`${narrow ? indent : LEFT}${command}`);
  return lines.join("\n");
}

function tally(results: readonly Result[], verbose: boolean): string {
  const number = (status: Status) => results.filter((result) => result.status === status).length;
  const fine = number("ok");
  if (fine === results.length) return `All ${results.length} checks are fine.`;
  const parts = ([["fail", "failed"], ["warn", "to know about"], ["skipped", "skipped"]] as const)
    .flatMap(([status, says]) => number(status) === 0 ? [] : [`${count(number(status))} ${says}`]);
  const hint = verbose ? "" : " (--verbose lists them)";
  return `${[...parts, `${count(fine)} fine`].join(", ")}${hint}.`;
}

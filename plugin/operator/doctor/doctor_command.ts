/**
 * `doctor`: is everything there that a turn needs? Every check says what to do about what it finds.
 *
 * @module
 */
import { errorMessage } from "../../../base/error_message.ts";
import { loadConfig, type LoadedConfig, parseConfig } from "../../config/config.ts";
import { redact } from "../../log.ts";
import { runtimeDirectory } from "../../profile.ts";
import { COMMIT, self, VERSION } from "../../self.ts";
import type { Arguments } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { PROFILE, profileOf } from "../cli/options.ts";
import { Progress } from "../cli/progress.ts";
import { columns, print, printJson } from "../cli/terminal.ts";
import { type Check, DoctorContext, fail, type Finding } from "./check.ts";
import { accountChecks } from "./checks_account.ts";
import { CODEX_CHECKS } from "./checks_codex.ts";
import { MACHINE_CHECKS } from "./checks_machine.ts";
import { PLUGIN_CHECKS } from "./checks_plugin.ts";
import { TURN_CHECKS } from "./checks_turns.ts";
import { doctorText, type Result } from "./doctor_text.ts";
import { TESTED_CHECK } from "./tested_codex.ts";

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
    runtimeDirectory: runtimeDirectory((name) => Deno.env.get(name)),
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

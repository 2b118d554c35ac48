/**
 * A codex that is newer than what we were tested with: whether it has passed the deep turn on this machine.
 *
 * @module
 */
import { exists } from "../../../base/files.ts";
import { NEWEST_TESTED } from "../../../runner/codex/capabilities.ts";
import type { CodexBinary } from "../../../runner/codex/codex_binary.ts";
import type { ProfilePaths } from "../../profile.ts";
import { TestedCodex } from "../../tested_codex.ts";
import { type Check, type DoctorContext, type Finding, ok, warn } from "./check.ts";

/** The check. It comes after the deep turn. */
export const TESTED_CHECK: Check = {
  id: "codex_tested",
  group: "codex",
  needs: ["codex_version"],
  run: tested,
};

async function tested(context: DoctorContext): Promise<Finding> {
  const codex = await context.usableCodex();
  const { version, untested } = codex.capabilities;
  if (!untested) return ok(`codex ${version} is among the versions this plugin was tested with`);
  const at = new TestedCodex(context.facts.paths.state).at(codex);
  if (at !== undefined) return ok(`codex ${version} passed the deep turn here`, `at ${at}`);
  return warn(`codex ${version} is newer than ${NEWEST_TESTED}, the newest that was tested`, {
    remedy: "It is expected to work. See that it does:",
    command: context.command("doctor", "--deep"),
  });
}

/** Remembers that a whole turn of this codex went well. Where nothing is installed, nothing is kept. */
export function rememberTested({ plugin, state }: ProfilePaths, codex: CodexBinary): void {
  if (!exists(plugin)) return;
  try {
    Deno.mkdirSync(state, { recursive: true, mode: 0o700 });
    new TestedCodex(state).remember(codex);
  } catch {
    // Then it is not remembered; state_directory says why.
  }
}

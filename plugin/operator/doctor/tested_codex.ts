/**
 * Whether a codex that is newer than what we were tested with has passed the deep turn on this machine;
 * remembered for the file as it was then.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { NEWEST_TESTED } from "../../../runner/codex/capabilities.ts";
import type { CodexBinary } from "../../../runner/codex/codex_binary.ts";
import type { ProfilePaths } from "../../profile.ts";
import { VERSION } from "../../self.ts";
import { replaceFile } from "../../../base/durable.ts";
import { exists, readIfThere } from "../../../base/files.ts";
import { type Check, type DoctorContext, type Finding, ok, warn } from "./check.ts";

/** The check. It comes after the deep turn. */
export const TESTED_CHECK: Check = {
  id: "codex_tested",
  group: "codex",
  needs: ["codex_version"],
  run: tested,
};

const FILE = "tested.json";
const Tested = z.object({ plugin: z.string(), binary: z.string(), at: z.string() });

async function tested(context: DoctorContext): Promise<Finding> {
  const codex = await context.usableCodex();
  const { version, untested } = codex.capabilities;
  if (!untested) return ok(`codex ${version} is among the versions this plugin was tested with`);
  const at = testedAt(context.facts.paths, codex);
  if (at !== undefined) return ok(`codex ${version} passed the deep turn here`, `at ${at}`);
  return warn(`codex ${version} is newer than ${NEWEST_TESTED}, the newest that was tested`, {
    remedy: "It is expected to work. See that it does:",
    command: context.command("doctor", "--deep"),
  });
}

/** Remembers that a whole turn of this codex went well. Where nothing is installed, nothing is kept. */
export function rememberTested({ plugin, state }: ProfilePaths, codex: CodexBinary): void {
  if (!exists(plugin)) return;
  const text = JSON.stringify({
    plugin: VERSION,
    binary: stampOf(codex),
    at: new Date().toISOString(),
  });
  try {
    Deno.mkdirSync(state, { recursive: true, mode: 0o700 });
    const bytes = new TextEncoder().encode(`${text}\n`);
    replaceFile(join(state, FILE), (file) => file.writeSync(bytes), 0o600);
  } catch {
    // Then it is not remembered; state_directory says why.
  }
}

function testedAt({ state }: ProfilePaths, codex: CodexBinary): string | undefined {
  try {
    const found = z.parse(Tested, JSON.parse(readIfThere(join(state, FILE)) ?? "null"));
    return found.plugin === VERSION && found.binary === stampOf(codex) ? found.at : undefined;
  } catch {
    return undefined;
  }
}

function stampOf({ path }: CodexBinary): string {
  const { size, mtime } = Deno.statSync(path);
  return `${path} ${size} ${mtime?.toISOString()}`;
}

/**
 * Finding codex: from the configured name to a file that can be started, its version and what that
 * version can do. The version is asked once per state of the file.
 *
 * @module
 */
import { clip, errorMessage, isShortage } from "../../base/error_message.ts";
import { stampOf } from "../../base/files.ts";
import { ProgramError, runProgram, type Variables } from "../../base/program.ts";
import { SharedWork } from "../../base/timer.ts";
import { type Failure, TurnError } from "../turn_event.ts";
import { type Capabilities, capabilitiesOf, OLDEST_SUPPORTED } from "./capabilities.ts";
import { nativeBehind, searchCodex } from "./codex_search.ts";

/** A codex that can be started. */
export interface CodexBinary {
  /** What is started: the native binary where we know it. */
  path: string;
  /** What the search found, before the launcher was seen through. */
  found: string;
  /** The state of the file at `path` when it was asked what it is. */
  stamp: string;
  capabilities: Capabilities;
  /** Variables to add to its environment. */
  env: Variables;
  /** To be put in front of its PATH. */
  pathDirectory?: string | undefined;
}

/** How long `codex --version` may take; it answers in 10 ms. */
const VERSION_TIMEOUT_MS = 10_000;

const probed = new Map<string, SharedWork<Capabilities>>();

/**
 * Finds and probes the codex called `name`.
 * @throws {TurnError} `codex_missing`, naming where it looked, or `codex_too_old`; the reason of `signal`
 * when it aborts before codex has told its version.
 */
export async function findCodex(
  name: string,
  env: Variables,
  signal?: AbortSignal,
): Promise<CodexBinary> {
  const { path: found, looked } = searchCodex(name, env);
  if (found === undefined) {
    throw new TurnError({
      kind: "codex_missing",
      message: clip(
        `codex: no executable ${JSON.stringify(name)} found; looked in ${listed(looked)}`,
      ),
      retryable: false,
      hint:
        "Install it (npm install -g @openai/codex), or set `binary` in config.json to its path.",
    });
  }
  const native = nativeBehind(found);
  const path = native?.path ?? found;
  const stamp = stampOf(path);
  const capabilities = await probe(path, stamp, env, signal);
  if (!capabilities.supported) {
    throw new TurnError({
      kind: "codex_too_old",
      message:
        `codex: ${path} is version ${capabilities.version}, at least ${OLDEST_SUPPORTED} is needed`,
      retryable: false,
      hint: "Upgrade it: npm install -g @openai/codex@latest",
    });
  }
  return {
    path,
    found,
    stamp,
    capabilities,
    env: native?.env ?? {},
    pathDirectory: native?.pathDirectory,
  };
}

async function probe(
  path: string,
  stamp: string,
  env: Variables,
  signal?: AbortSignal,
): Promise<Capabilities> {
  const key = `${path}\0${stamp}`;
  let asked = probed.get(key);
  if (asked === undefined || asked.givenUp) {
    asked = new SharedWork((signal) => askVersion(path, env, signal));
    probed.set(key, asked);
  }
  try {
    return await asked.wait(signal);
  } catch (error) {
    // A failure is not remembered: the next turn may find it mended.
    if (!signal?.aborted && probed.get(key) === asked) probed.delete(key);
    throw error;
  }
}

async function askVersion(
  path: string,
  env: Variables,
  signal: AbortSignal,
): Promise<Capabilities> {
  let said: string;
  try {
    const options = { env, timeMs: VERSION_TIMEOUT_MS, signal };
    const end = await runProgram(path, ["--version"], options);
    const how = end.signal === undefined
      ? `exit code ${end.code}`
      : `it was ended by ${end.signal}`;
    said = end.stdout.trim() || end.stderr.trim() || how;
  } catch (error) {
    said = errorMessage(error);
    const isSlow = error instanceof ProgramError && error.why === "time";
    if (isSlow || isShortage(error)) throw new TurnError(overloaded(path, said));
  }
  const capabilities = capabilitiesOf(said);
  if (capabilities !== undefined) return capabilities;
  throw new TurnError({
    kind: "codex_missing",
    message: clip(
      `codex: ${path} --version did not answer with a version, but: ${said.slice(0, 200)}`,
    ),
    retryable: false,
    hint: "Set `binary` in config.json to the codex CLI.",
  });
}

/** It may be a good codex all the same. */
function overloaded(path: string, trouble: string): Failure {
  return {
    kind: "internal",
    message: clip(`codex: ${path} cannot be asked for its version: ${trouble}`),
    retryable: true,
    hint:
      "The machine may be overloaded, or out of processes, file descriptors or memory; or `binary` is no codex.",
  };
}

/** `doctor --verbose` names them all. */
function listed(places: readonly string[]): string {
  const more = places.length - 3;
  return places.slice(0, 3).join(", ") + (more > 0 ? ` and ${more} more places` : "");
}

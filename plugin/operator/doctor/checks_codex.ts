/**
 * Checks of codex itself.
 *
 * @module
 */
import { basename } from "@std/path";
import { NEWEST_TESTED, OLDEST_SUPPORTED } from "../../../runner/codex/capabilities.ts";
import { type CodexBinary, findCodex } from "../../../runner/codex/codex_binary.ts";
import { searchCodex } from "../../../runner/codex/codex_search.ts";
import { codexEnvironment } from "../../../runner/codex/environment.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import { type Check, fail, type Finding, ok, warn, type World } from "./check.ts";
import { programOutput } from "../cli/program_output.ts";

const SANDBOX_TIMEOUT_MS = 20_000;

/** In the order in which one would look. */
export const CODEX_CHECKS: readonly Check[] = [
  { id: "codex_binary", run: binary },
  { id: "codex_version", run: version },
  { id: "codex_launcher", run: launcher },
  { id: "codex_sandbox", run: sandbox },
];

/** Stands for a check that has nothing to look at without codex. */
export const WITHOUT_CODEX = fail("not checked: there is no codex to ask", "See codex_binary.");

/** The codex of the configuration, or what is wrong with it. */
export async function codexOf({ config, environment }: World): Promise<CodexBinary | TurnError> {
  try {
    return await findCodex(config.binary, { ...environment, ...config.env });
  } catch (error) {
    if (error instanceof TurnError) return error;
    throw error;
  }
}

/** The environment that a turn's codex gets. */
export function environmentOf(
  { config, environment }: World,
  codex: Pick<CodexBinary, "env" | "pathDirectory">,
): Record<string, string> {
  return codexEnvironment(environment, config.env, codex);
}

function binary({ config, environment }: World): Finding {
  const { path, looked } = searchCodex(config.binary, { ...environment, ...config.env });
  if (path !== undefined) return ok(path, `the first of ${looked.length} places that has it`);
  return fail(
    `no executable ${JSON.stringify(config.binary)} found`,
    "Install it (npm install -g @openai/codex), or set binary in config.json to its path.",
    `looked in ${looked.join(", ")}`,
  );
}

async function version(world: World): Promise<Finding> {
  const codex = await codexOf(world);
  const range = `tested from ${OLDEST_SUPPORTED} to ${NEWEST_TESTED}`;
  if (codex instanceof TurnError) {
    const { kind, message, hint = "" } = codex.failure;
    return kind === "codex_too_old" ? fail(message, hint, range) : WITHOUT_CODEX;
  }
  const { version, untested, toolsDeferred } = codex.capabilities;
  if (untested) {
    return warn(
      `codex ${version} is newer than what was tested`,
      "Expected to work; look for a newer release of this plugin.",
      range,
    );
  }
  return toolsDeferred
    ? warn(
      `codex ${version} hides the host's tools behind a tool search`,
      "Upgrade codex to 0.148 or later: npm install -g @openai/codex@latest",
      range,
    )
    : ok(`codex ${version}`, range);
}

async function launcher(world: World): Promise<Finding> {
  const codex = await codexOf(world);
  if (codex instanceof TurnError) return WITHOUT_CODEX;
  if (codex.path !== codex.found) {
    return ok("the native binary behind npm's launcher is started", codex.path);
  }
  return isScript(codex.path)
    ? warn(
      `${basename(codex.path)} is a script, and what it starts is not known`,
      "Set binary in config.json to the native codex, so that it gets the plugin's signals.",
      codex.path,
    )
    : ok("it is the native binary", codex.path);
}

async function sandbox(world: World): Promise<Finding> {
  const { config } = world;
  if (config.sandbox === "danger-full-access") {
    return warn(
      "codex's tools run without a sandbox: sandbox is danger-full-access",
      "Fine where the whole machine is the sandbox; else set workspace-write.",
    );
  }
  if (Deno.build.os !== "linux") return ok(`${config.sandbox}, by this system's own means`);
  const codex = await codexOf(world);
  if (codex instanceof TurnError) return WITHOUT_CODEX;
  const { code, stderr } = await programOutput(codex.path, ["sandbox", "--", "true"], {
    env: environmentOf(world, codex),
    timeoutMs: SANDBOX_TIMEOUT_MS,
  });
  if (code === 0) return ok(`${config.sandbox} works on this kernel`);
  const why = reasonIn(stderr);
  return fail(
    "codex cannot make its sandbox here: its tools would fail",
    /bubblewrap|bwrap/.test(why)
      ? "Install bubblewrap, or codex as npm brings it, with its own bwrap beside it; then allow unprivileged user namespaces."
      : "Allow unprivileged user namespaces (or Landlock) on this machine; where the machine itself is the sandbox, set sandbox to danger-full-access.",
    why,
  );
}

/** What is said in a panic, without where and how it was said. */
function reasonIn(stderr: string): string {
  const noise = /^(?:WARNING: proceeding|note: |stack backtrace|thread '| +(?:\d+:|at ))/;
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !noise.test(line));
  return lines.slice(-3).join(" ").slice(0, 500);
}

function isScript(path: string): boolean {
  using file = Deno.openSync(path, { read: true });
  const head = new Uint8Array(2);
  return file.readSync(head) === 2 && head[0] === 0x23 && head[1] === 0x21;
}

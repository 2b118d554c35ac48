/**
 * Checks of codex.
 *
 * @module
 */
import { basename } from "@std/path";
import { type ProgramEnd, ProgramError, runProgram } from "../../../base/program.ts";
import { NEWEST_TESTED, OLDEST_SUPPORTED } from "../../../runner/codex/capabilities.ts";
import { searchCodex } from "../../../runner/codex/codex_search.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import { unsuitable } from "../../../runner/app_server/app_server.ts";
import { turnSettings } from "../../config/settings.ts";
import { type Check, type DoctorContext, fail, type Finding, ok, warn } from "./check.ts";

const SANDBOX_TIMEOUT_MS = 20_000;
const INSTALL = "npm install -g @openai/codex@latest";

/** In the order in which one would look. */
export const CODEX_CHECKS: readonly Check[] = [
  { id: "codex_binary", group: "codex", needs: ["config"], run: binary },
  { id: "codex_version", group: "codex", needs: ["codex_binary"], run: version },
  { id: "codex_launcher", group: "codex", needs: ["codex_version"], run: launcher },
  { id: "codex_transport", group: "codex", needs: ["codex_version"], run: transport },
  { id: "codex_sandbox", group: "codex", needs: ["codex_version"], run: sandbox },
];

/** What the program left, or what it could not do. */
export async function answerOf(
  path: string,
  args: string[],
  options: { env: Record<string, string>; timeMs: number },
): Promise<Pick<ProgramEnd, "stdout" | "stderr"> & { code: number | undefined }> {
  try {
    return await runProgram(path, args, options);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return { code: undefined, stdout: error.stdout, stderr: `${error.stderr}\n${error.message}` };
  }
}

async function binary(context: DoctorContext): Promise<Finding> {
  const { config, paths } = context.facts;
  const { path, looked } = searchCodex(config.binary, context.codexEnvironment());
  if (path === undefined) {
    return fail(`no executable ${JSON.stringify(config.binary)} found`, {
      detail: looked.map((place) => `not in ${place}`).join("\n"),
      remedy: `Set binary in ${paths.config} to its path, or install codex:`,
      command: INSTALL,
    });
  }
  const codex = await context.codex();
  if (codex instanceof TurnError && codex.failure.kind === "codex_missing") {
    return fail(`${path} is not the codex CLI, or does not start`, {
      detail: codex.failure.message.replace(/^codex: /, ""),
      remedy: `Set binary in ${paths.config} to the path of codex.`,
    });
  }
  return ok(path, looked.length > 1 ? `the first of ${looked.length} places that has it` : "");
}

async function version(context: DoctorContext): Promise<Finding> {
  const codex = await context.codex();
  const range = `tested from ${OLDEST_SUPPORTED} to ${NEWEST_TESTED}`;
  if (codex instanceof TurnError) {
    return fail(codex.failure.message.replace(/^codex: /, ""), { detail: range, command: INSTALL });
  }
  const { version, toolsDeferredFrom } = codex.capabilities;
  if (toolsDeferredFrom === undefined) return ok(`codex ${version}`, range);
  const many = toolsDeferredFrom > 1
    ? ` where there are ${toolsDeferredFrom} or more, those of the user's MCP servers among them`
    : "";
  return warn(`codex ${version} hides the host's tools behind a tool search${many}`, {
    detail: range,
    remedy: "Upgrade codex to 0.147 or later:",
    command: INSTALL,
  });
}

async function launcher(context: DoctorContext): Promise<Finding> {
  const { path, found } = await context.usableCodex();
  if (path !== found) return ok("the native binary behind npm's launcher is started", path);
  return isScript(path)
    ? warn(`${basename(path)} is a script, and what it starts is not known`, {
      detail: path,
      remedy:
        "Set binary in config.json to the native codex, so that it gets the plugin's signals.",
    })
    : ok("it is the native binary", path);
}

async function transport(context: DoctorContext): Promise<Finding> {
  const codex = await context.usableCodex();
  const settings = turnSettings(context.facts.config, "codex", "default");
  if (settings.transport === "exec") return ok("turns are run by exec", 'transport is "exec"');
  const because = unsuitable({ codex, ...settings });
  const asked = `transport is ${JSON.stringify(settings.transport)}`;
  if (because === undefined) return ok("turns are run by app-server", asked);
  return settings.transport === "auto"
    ? ok(`turns are run by exec: ${because}`, asked)
    : warn(`turns are run by exec: ${because}`, {
      detail: asked,
      remedy: 'Change what stands against it, or set transport to "exec".',
    });
}

async function sandbox(context: DoctorContext): Promise<Finding> {
  const { config } = context.facts;
  if (config.sandbox === "danger-full-access") {
    return warn("codex's tools run without a sandbox: sandbox is danger-full-access", {
      remedy: "Fine where the whole machine is the sandbox; else set workspace-write.",
    });
  }
  if (Deno.build.os !== "linux") return ok(`${config.sandbox}, by this system's own means`);
  const codex = await context.usableCodex();
  const { code, stderr } = await answerOf(codex.path, ["sandbox", "--", "true"], {
    env: context.codexEnvironment(codex),
    timeMs: SANDBOX_TIMEOUT_MS,
  });
  if (code === 0) return ok(`${config.sandbox} works on this kernel`);
  return fail("codex cannot make its sandbox here: its tools would fail", {
    detail: reasonIn(stderr),
    remedy: "What it needs of the machine, and what to do in a container:",
    command: context.help("sandbox"),
  });
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

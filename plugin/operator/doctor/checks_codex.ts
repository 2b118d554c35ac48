/**
 * Checks of codex and of the accounts that turns use.
 *
 * @module
 */
import { basename } from "@std/path";
import { inWords } from "../../../base/error_message.ts";
import { exists } from "../../../base/files.ts";
import { type ProgramEnd, ProgramError, runProgram } from "../../../base/program.ts";
import { newestHistoryMode } from "../../../rollout/locate.ts";
import { unsuitable } from "../../../runner/app_server/app_server.ts";
import { NEWEST_TESTED, OLDEST_SUPPORTED } from "../../../runner/codex/capabilities.ts";
import type { CodexBinary } from "../../../runner/codex/codex_binary.ts";
import { searchCodex } from "../../../runner/codex/codex_search.ts";
import { customProvider } from "../../../runner/codex/codex_settings.ts";
import { codexHome } from "../../../runner/codex/environment.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import type { Config } from "../../config/config_schema.ts";
import { agentEnv, turnSettings } from "../../config/settings.ts";
import type { ProfilePaths } from "../../profile.ts";
import { DEFAULT_AGENT } from "../../protocol.ts";
import { TestedCodex } from "../../tested_codex.ts";
import { oneLine, shellWord } from "../cli/terminal.ts";
import {
  type Check,
  type DoctorContext,
  fail,
  type Finding,
  isWritable,
  ok,
  warn,
} from "./check.ts";

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
  const settings = turnSettings(context.facts.config, "codex", DEFAULT_AGENT);
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

/** What the program left, or what it could not do. */
async function answerOf(
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

/*
 * A codex that is newer than what we were tested with: whether it has passed the deep turn on this machine.
 */

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

/*
 * codex's home and its login, and those of each agent that has its own.
 */

const LOGIN_TIMEOUT_MS = 10_000;

/** For the account of all agents, then for each other one that the configuration names. */
export function accountChecks(config: Config): Check[] {
  return accountsOf(config).flatMap(([agentId, ...others]) => {
    const of = agentId === undefined ? "" : `:${oneLine(agentId)}`;
    const also = others.length === 0 ? "" : `, and for ${others.map(oneLine).join(", ")}`;
    const check = (id: string, needs: string[], look: typeof home | typeof login): Check => ({
      id: id + of,
      group: "codex",
      needs,
      async run(context) {
        const finding = await look(context, agentId ?? "");
        return { ...finding, summary: finding.summary + also };
      },
    });
    return [
      check("codex_home", ["config"], home),
      check("codex_login", ["codex_version", `codex_home${of}`], login),
    ];
  });
}

/** The agents by their account; those without one of their own come first, as nobody. */
function accountsOf(config: Config): string[][] {
  const account = (agentId: string): string => {
    const env = Object.entries(agentEnv(config, agentId)).sort();
    return JSON.stringify([env, turnSettings(config, "codex", agentId).extraArgs]);
  };
  const accounts = new Map<string, string[]>([[account(""), []]]);
  for (const agentId of Object.keys(config.agents)) {
    if (account(agentId) === account("")) continue;
    accounts.set(account(agentId), [...accounts.get(account(agentId)) ?? [], agentId]);
  }
  return [...accounts.values()];
}

function home(context: DoctorContext, agentId: string): Finding {
  const path = context.codexHome(agentId);
  const named = (context.codexEnvironment(undefined, agentId).CODEX_HOME ?? "") !== "";
  try {
    if (!Deno.statSync(path).isDirectory) {
      return fail(`${path} is not a directory`, { remedy: "Set CODEX_HOME to a directory." });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      return fail(`${path} cannot be read: ${inWords(error)}`, {
        remedy: "Give this user access to it.",
      });
    }
    return named
      ? fail(`CODEX_HOME is ${path}, which does not exist`, {
        command: `mkdir -m 700 ${shellWord(path)}`,
      })
      : ok(`${path} is made by codex at its first start`);
  }
  if (!isWritable(path)) {
    return fail(`${path} cannot be written`, {
      remedy: "codex keeps its sessions there: make it writable for this user.",
    });
  }
  const mode = newestHistoryMode(path);
  return ok(path, mode === undefined ? "no sessions yet" : `the newest session is ${mode}`);
}

async function login(context: DoctorContext, agentId: string): Promise<Finding> {
  const codex = await context.usableCodex();
  const env = context.codexEnvironment(codex, agentId);
  const home = codexHome(env);
  let provider: ReturnType<typeof customProvider>;
  try {
    provider = customProvider(home, turnSettings(context.facts.config, "codex", agentId).extraArgs);
  } catch (error) {
    return fail(`${home}/config.toml cannot be read`, {
      detail: inWords(error),
      remedy: "Repair it: codex does not start with it.",
    });
  }
  if (provider !== undefined) {
    const { name, envKey } = provider;
    if (envKey === undefined) return ok(`not needed: config.toml selects the provider ${name}`);
    if ((env[envKey] ?? "") !== "") return ok(`the provider ${name} has its key in ${envKey}`);
    return fail(`the provider ${name} needs the variable ${envKey}, which is not set`, {
      remedy: `Set ${envKey} in the environment of the host, or under env in config.json.`,
    });
  }
  if ((env.CODEX_API_KEY ?? "") !== "") return ok("by the API key in CODEX_API_KEY");
  const { code, stdout, stderr } = await answerOf(codex.path, ["login", "status"], {
    env,
    timeMs: LOGIN_TIMEOUT_MS,
  });
  // Nothing codex says about a key is repeated, masked or not.
  if (code === 0) return ok(/chatgpt/i.test(stdout + stderr) ? "with ChatGPT" : "with an API key");
  return fail("codex is not logged in", {
    detail: `asked for CODEX_HOME ${home}`,
    remedy: "As the user who runs Plexum (with a key: add --with-api-key < key.txt):",
    command: context.codexCommand(agentId, codex.path, "login"),
  });
}

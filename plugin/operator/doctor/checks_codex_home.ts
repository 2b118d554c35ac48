/**
 * Checks of codex's home: can it be used, and is codex logged in.
 *
 * @module
 */
import { join } from "@std/path";
import { codexHome } from "../../../runner/codex/environment.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import { type Check, fail, type Finding, ok, type World } from "./check.ts";
import { codexOf, environmentOf, WITHOUT_CODEX } from "./checks_codex.ts";
import { isWritable } from "../cli/writable.ts";
import { programOutput } from "../cli/program_output.ts";
import { readIfThere } from "../setup/step.ts";

const LOGIN_TIMEOUT_MS = 10_000;

/** In the order in which one would look. */
export const CODEX_HOME_CHECKS: readonly Check[] = [
  { id: "codex_home", run: home },
  { id: "codex_login", run: login },
];

function homeOf(world: World): string {
  return codexHome(environmentOf(world, { env: {}, pathDirectory: undefined }));
}

function home(world: World): Finding {
  const path = homeOf(world);
  const named = (world.config.env.CODEX_HOME ?? world.environment.CODEX_HOME ?? "") !== "";
  try {
    const { isDirectory } = Deno.statSync(path);
    if (!isDirectory) return fail(`${path} is not a directory`, "Set CODEX_HOME to a directory.");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      return fail(`${path} cannot be read`, "Give this user access to it.", String(error));
    }
    return named
      ? fail(`CODEX_HOME is ${path}, which does not exist`, `mkdir -m 700 ${path}`)
      : ok(`${path} is made by codex at its first start`);
  }
  if (!isWritable(path)) {
    return fail(`${path} cannot be written`, "codex keeps its sessions there: make it writable.");
  }
  const mode = historyMode(path);
  return ok(path, mode === undefined ? "no sessions yet" : `the newest session is ${mode}`);
}

async function login(world: World): Promise<Finding> {
  const codex = await codexOf(world);
  if (codex instanceof TurnError) return WITHOUT_CODEX;
  const env = environmentOf(world, codex);
  const provider = customProvider(world);
  if (provider !== undefined) {
    const { name, envKey } = provider;
    if (envKey === undefined) return ok(`not needed: config.toml selects the provider ${name}`);
    if ((env[envKey] ?? "") !== "") return ok(`the provider ${name} has its key in ${envKey}`);
    return fail(
      `the provider ${name} needs the variable ${envKey}, which is not set`,
      `Set ${envKey} in the environment of the host, or under env in config.json.`,
    );
  }
  if ((env.CODEX_API_KEY ?? "") !== "") return ok("by the API key in CODEX_API_KEY");
  const { code, stdout, stderr } = await programOutput(codex.path, ["login", "status"], {
    env,
    timeoutMs: LOGIN_TIMEOUT_MS,
  });
  // Nothing codex says about a key is repeated, masked or not.
  if (code === 0) return ok(/chatgpt/i.test(stdout + stderr) ? "with ChatGPT" : "with an API key");
  return fail(
    "codex is not logged in",
    "As the user who runs Plexum: codex login, or codex login --with-api-key < key.txt",
    `asked for CODEX_HOME ${homeOf(world)}`,
  );
}

/** The provider that config.toml or an argument selects, when it is not OpenAI's own. */
function customProvider(
  world: World,
): { name: string; envKey: string | undefined } | undefined {
  const toml = readIfThere(join(homeOf(world), "config.toml")) ?? "";
  const top = toml.split(/^\s*\[/m)[0] ?? "";
  const assignment = /^\s*model_provider\s*=\s*["']([^"']+)["']/m;
  const argument = world.config.extra_args.find((arg) => assignment.test(arg)) ?? "";
  const name = (assignment.exec(argument) ?? assignment.exec(top))?.[1];
  if (name === undefined || name === "openai") return undefined;
  const section =
    toml.split(/^\s*\[/m).find((text) =>
      text.startsWith(`model_providers.${name}]`) || text.startsWith(`model_providers."${name}"]`)
    ) ?? "";
  if (/^\s*requires_openai_auth\s*=\s*true/m.test(section)) return undefined;
  return { name, envKey: /^\s*env_key\s*=\s*["']([^"']+)["']/m.exec(section)?.[1] };
}

/** How codex keeps the newest session: `paginated` (0.148 and later) or `legacy`. */
function historyMode(codexHome: string): string | undefined {
  let path = join(codexHome, "sessions");
  for (let depth = 0; depth < 4; depth++) {
    const newest = namesIn(path).filter((name) => /^\d+$|^rollout-.*\.jsonl$/.test(name)).sort()
      .at(-1);
    if (newest === undefined) return undefined;
    path = join(path, newest);
  }
  const head = headOf(path);
  return /"history_mode":"(\w+)"/.exec(head)?.[1] ?? "legacy";
}

function namesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch {
    return [];
  }
}

function headOf(path: string): string {
  try {
    using file = Deno.openSync(path, { read: true });
    const buffer = new Uint8Array(256 * 1024);
    const read = file.readSync(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, read)).split("\n")[0] ?? "";
  } catch {
    return "";
  }
}

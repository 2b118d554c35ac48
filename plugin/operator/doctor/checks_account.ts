/**
 * Checks of the accounts that turns use: codex's home and its login, those of each agent that has its own.
 *
 * @module
 */
import { inWords } from "../../../base/error_message.ts";
import { newestHistoryMode } from "../../../rollout/report/newest_session.ts";
import { customProvider } from "../../../runner/codex/codex_settings.ts";
import { codexHome } from "../../../runner/codex/environment.ts";
import type { Config } from "../../config/config_schema.ts";
import { agentEnv, turnSettings } from "../../config/settings.ts";
import { oneLine, shellWord } from "../cli/printable.ts";
import { type Check, type DoctorContext, fail, type Finding, isWritable, ok } from "./check.ts";
import { answerOf } from "./checks_codex.ts";

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

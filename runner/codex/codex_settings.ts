/**
 * What codex's own `config.toml` says about the model's provider, for whoever explains an installation.
 * A turn does not look: codex reads that file itself.
 *
 * @module
 */
import { join } from "@std/path";
import { parse } from "smol-toml";
import { isObject } from "../../base/json_object.ts";

/** A provider that is not OpenAI's own. */
export interface CustomProvider {
  name: string;
  /** The variable that holds its key, where it needs one. */
  envKey: string | undefined;
}

/**
 * The provider that config.toml, a profile in it or an argument selects; `undefined` when codex's own
 * login counts.
 * @throws {Error} with line and column where the file is not TOML.
 */
export function customProvider(
  codexHome: string,
  args: readonly string[],
): CustomProvider | undefined {
  const config = readConfigToml(codexHome);
  const named = argumentValue(args, "profile") ?? config.profile;
  const profiles = table(config.profiles);
  const profile = typeof named === "string" ? table(profiles[named]) : {};
  const name = argumentValue(args, "model_provider") ?? profile.model_provider ??
    config.model_provider;
  if (typeof name !== "string" || name === "openai") return undefined;
  const provider = table(table(config.model_providers)[name]);
  if (provider.requires_openai_auth === true) return undefined;
  return { name, envKey: typeof provider.env_key === "string" ? provider.env_key : undefined };
}

function readConfigToml(codexHome: string): Record<string, unknown> {
  const path = join(codexHome, "config.toml");
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${path} is not TOML: ${error instanceof Error ? error.message : error}`);
  }
}

/** The value of the last `-c key=value` for a key at the top. */
function argumentValue(args: readonly string[], key: string): unknown {
  const pattern = new RegExp(`^(?:--config=|-c=?)?\\s*${key}\\s*=\\s*(.*)$`, "s");
  const value = args.findLast((arg) => pattern.test(arg));
  if (value === undefined) return undefined;
  const text = pattern.exec(value)?.[1] ?? "";
  try {
    return parse(`value = ${text}`).value;
  } catch {
    return text; // codex takes what is not TOML as a string
  }
}

function table(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

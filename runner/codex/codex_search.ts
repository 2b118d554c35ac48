/**
 * Where codex lies: PATH first, then the places that a person's shell knows and a service's PATH
 * does not.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "@std/path";
import { isDirectory, isThere, statOf } from "../../base/files.ts";
import type { Variables } from "../../base/program.ts";

/** Where `name` is, and every place that was looked at. */
export function searchCodex(
  name: string,
  env: Variables,
): { path: string | undefined; looked: string[] } {
  const home = env.HOME ?? "";
  if (name.includes("/")) {
    const path = name.startsWith("~/") ? join(home, name.slice(2)) : resolve(name);
    return { path: isExecutable(path) ? path : undefined, looked: [path] };
  }
  // A relative place would be looked for in whatever directory the host was started.
  const places = [...(env.PATH ?? "").split(":"), ...usualPlaces(home, env)].filter(isAbsolute);
  const looked = [...new Set(places)];
  const path = looked.map((dir) => join(dir, name)).find(isExecutable);
  return { path, looked };
}

/** Where installers put programs that a login shell then has on its PATH. */
function usualPlaces(home: string, env: Variables): string[] {
  const at = (variable: string, ...otherwise: string[]) =>
    env[variable] ?? join(home, ...otherwise);
  const nodeVersions = join(at("NVM_DIR", ".nvm"), "versions", "node");
  const prefix = env.npm_config_prefix ?? npmrcPrefix(home);
  return [
    join(home, ".local", "bin"),
    ...(prefix === undefined ? [] : [join(prefix, "bin")]),
    join(home, ".npm-global", "bin"),
    ...newestFirst(nodeVersions).map((version) => join(nodeVersions, version, "bin")),
    join(at("VOLTA_HOME", ".volta"), "bin"),
    at("PNPM_HOME", ".local", "share", "pnpm"),
    join(at("BUN_INSTALL", ".bun"), "bin"),
    join(home, ".yarn", "bin"),
    join(home, ".asdf", "shims"),
    join(home, ".local", "share", "mise", "shims"),
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/usr/local/bin",
    "/usr/bin",
  ];
}

/** The `prefix` line of the user's .npmrc. */
function npmrcPrefix(home: string): string | undefined {
  const path = join(home, ".npmrc");
  if (!isThere(path)) return undefined;
  try {
    const text = Deno.readTextFileSync(path);
    const prefix = /^\s*prefix\s*=\s*"?([^"\n]+?)"?\s*$/m.exec(text)?.[1];
    return prefix?.replace(/^(?:~|\$\{HOME\})(?=\/|$)/, home);
  } catch {
    return undefined;
  }
}

function newestFirst(directory: string): string[] {
  if (!isDirectory(directory)) return [];
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name)
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  const { isFile, mode } = statOf(path) ?? {};
  return isFile === true && ((mode ?? 0o111) & 0o111) !== 0;
}

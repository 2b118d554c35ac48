/**
 * Where codex lies: PATH first, then the places that a person's shell knows and a service's PATH
 * does not; and which binary npm's launcher there would start.
 *
 * @module
 */
import { basename, dirname, isAbsolute, join, resolve } from "@std/path";
import { isShortage } from "../../base/error_message.ts";
import { isDirectory, isFile, isThere, statOf } from "../../base/files.ts";
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
  } catch (error) {
    if (isShortage(error)) throw error;
    return undefined;
  }
}

function newestFirst(directory: string): string[] {
  if (!isDirectory(directory)) return [];
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name)
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  } catch (error) {
    if (isShortage(error)) throw error;
    return [];
  }
}

function isExecutable(path: string): boolean {
  const { isFile, mode } = statOf(path) ?? {};
  return isFile === true && ((mode ?? 0o111) & 0o111) !== 0;
}

/*
 * The native binary behind npm's launcher script.
 *
 * `codex` from npm is a Node script that starts a native binary. The binary started directly saves
 * 30 ms a turn and, what matters more, gets our signals and gives its own exit status: the launcher
 * of 0.135 and 0.150 exits 0 on SIGTERM, and a killed launcher leaves codex running. What the
 * launcher would have set in the environment is set by us.
 */

/** What to start instead of the launcher. */
export interface NativeCodex {
  path: string;
  /** Variables the launcher would have set. */
  env: Record<string, string>;
  /** Directory that the launcher puts in front of PATH (codex's own `rg`), when this version does. */
  pathDirectory?: string | undefined;
}

/**
 * The native binary that `found` (an executable file) comes to in the end, or `undefined` when it is
 * no npm launcher, nor a package manager's way to one, or its native package is not there.
 */
export function nativeBehind(found: string): NativeCodex | undefined {
  const target = platform();
  const launcher = launcherBehind(found);
  if (target === undefined || launcher === undefined) return undefined;
  const packageRoot = dirname(dirname(launcher));
  // Where Node would resolve the platform package from the launcher, then the old bundled layout.
  const vendors = [
    ...ancestors(packageRoot).map((dir) =>
      join(dir, "node_modules", "@openai", target.package, "vendor")
    ),
    join(packageRoot, "vendor"),
  ];
  for (const vendor of vendors) {
    const root = join(vendor, target.triple);
    for (const [binary, pathDirectory] of [["bin", "codex-path"], ["codex", "path"]] as const) {
      const path = join(root, binary, "codex");
      if (!isFile(path)) continue;
      return { path, ...launcherSettings(launcher, packageRoot, join(root, pathDirectory)) };
    }
  }
  return undefined;
}

function platform(): { package: string; triple: string } | undefined {
  const { os, arch } = Deno.build;
  const cpu = arch === "aarch64" ? "arm64" : "x64";
  if (os === "linux") {
    return { package: `codex-linux-${cpu}`, triple: `${arch}-unknown-linux-musl` };
  }
  if (os === "darwin") return { package: `codex-darwin-${cpu}`, triple: `${arch}-apple-darwin` };
  return undefined;
}

const LAUNCHER = "/@openai/codex/bin/codex.js";

/** npm links to the launcher; pnpm writes a shell script that starts it; Volta has one shim for all. */
function launcherBehind(found: string): string | undefined {
  const real = Deno.realPathSync(found);
  if (real.endsWith(LAUNCHER)) return real;
  const candidate = basename(real) === "volta-shim"
    ? join(dirname(dirname(found)), "tools/image/packages/@openai/codex/lib/node_modules", LAUNCHER)
    : scriptTarget(real);
  return candidate !== undefined && isFile(candidate) ? Deno.realPathSync(candidate) : undefined;
}

/** `exec node "$basedir/…/@openai/codex/bin/codex.js" "$@"`, as pnpm's and npm's cmd-shim write it. */
function scriptTarget(script: string): string | undefined {
  if (Deno.statSync(script).size > 16 * 1024) return undefined;
  const text = Deno.readTextFileSync(script);
  const target = /"\$basedir\/([^"]*\/@openai\/codex\/bin\/codex\.js)"/.exec(text)?.[1];
  return target === undefined ? undefined : join(dirname(script), target);
}

/** What this version of the launcher sets. */
function launcherSettings(
  launcher: string,
  packageRoot: string,
  pathDirectory: string,
): Omit<NativeCodex, "path"> {
  const text = Deno.readTextFileSync(launcher);
  const by = `CODEX_MANAGED_BY_${packageManager(packageRoot)}`;
  // Launchers up to at least 0.135 extend PATH; later ones leave that to the binary.
  const extendsPath = text.includes("getUpdatedPath") && isDirectory(pathDirectory);
  return {
    env: {
      [text.includes(by) ? by : "CODEX_MANAGED_BY_NPM"]: "1",
      CODEX_MANAGED_PACKAGE_ROOT: packageRoot,
    },
    pathDirectory: extendsPath ? pathDirectory : undefined,
  };
}

/** codex uses it to say how to update. */
function packageManager(packageRoot: string): "BUN" | "PNPM" | "NPM" {
  if (packageRoot.includes(".bun/install/global")) return "BUN";
  const owned = ancestors(packageRoot).some((dir) =>
    isFile(join(dir, "node_modules/.modules.yaml"))
  );
  return owned ? "PNPM" : "NPM";
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

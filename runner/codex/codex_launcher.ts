/**
 * The native binary behind npm's launcher script.
 *
 * `codex` from npm is a Node script that starts a native binary. The binary started directly saves
 * 30 ms a turn and, what matters more, gets our signals and gives its own exit status: the launcher
 * of 0.135 and 0.150 exits 0 on SIGTERM, and a killed launcher leaves codex running. What the
 * launcher would have set in the environment is set by us.
 *
 * @module
 */
import { isDirectory, isFile } from "../../base/files.ts";
import { basename, dirname, join } from "@std/path";

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

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
import { basename, dirname, join } from "@std/path";

/** What to start instead of the launcher. */
export interface NativeCodex {
  path: string;
  /** Variables the launcher would have set. */
  env: Record<string, string>;
  /** Directory that the launcher puts in front of PATH (codex's own `rg`), when this version does. */
  pathDirectory?: string | undefined;
}

/** Directory names of the platform package, by `Deno.build`. */
function platform(): { package: string; triple: string } | undefined {
  const { os, arch } = Deno.build;
  const cpu = arch === "aarch64" ? "arm64" : "x64";
  if (os === "linux") {
    return { package: `codex-linux-${cpu}`, triple: `${arch}-unknown-linux-musl` };
  }
  if (os === "darwin") return { package: `codex-darwin-${cpu}`, triple: `${arch}-apple-darwin` };
  return undefined;
}

/**
 * The native binary that the launcher at `launcher` (a real path, symlinks resolved) would start, or
 * `undefined` when that file is no npm launcher or its native package is not there.
 */
export function nativeBehind(launcher: string): NativeCodex | undefined {
  const target = platform();
  const packageRoot = dirname(dirname(launcher));
  if (target === undefined || basename(launcher) !== "codex.js") return undefined;
  if (basename(packageRoot) !== "codex" || basename(dirname(packageRoot)) !== "@openai") {
    return undefined;
  }
  // Where Node would resolve the platform package from the launcher, then the old bundled layout.
  const vendors = [
    join(packageRoot, "node_modules", "@openai", target.package, "vendor"),
    join(dirname(packageRoot), target.package, "vendor"),
    join(packageRoot, "vendor"),
  ];
  for (const vendor of vendors) {
    const root = join(vendor, target.triple);
    for (const [binary, pathDirectory] of [["bin", "codex-path"], ["codex", "path"]] as const) {
      const path = join(root, binary, "codex");
      if (!isFile(path)) continue;
      const extendsPath = setsPath(launcher) && isDirectory(join(root, pathDirectory));
      return {
        path,
        env: { CODEX_MANAGED_BY_NPM: "1", CODEX_MANAGED_PACKAGE_ROOT: packageRoot },
        pathDirectory: extendsPath ? join(root, pathDirectory) : undefined,
      };
    }
  }
  return undefined;
}

/** Launchers up to at least 0.150 extend PATH; the one of 0.169 leaves that to the binary. */
function setsPath(launcher: string): boolean {
  return Deno.readTextFileSync(launcher).includes("getUpdatedPath");
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Real codex binaries, fetched from npm once per version into the cache and reused from then on.
 *
 * Nothing of codex runs while it is installed (`--ignore-scripts`); what came is trusted only after
 * the native binary has said the version that was asked for.
 */
import { join } from "@std/path";
import { cacheDir, withCacheLock } from "./cache.ts";

/** The versions that the suite runs on: the oldest supported, one between, the newest. */
export const OLDEST_CODEX = "0.135.0";
export const MIDDLE_CODEX = "0.150.1";
export const NEWEST_CODEX = "0.169.0";

/** Absolute paths: the native binary, and the npm launcher (a node script) in front of it. */
export interface CodexBinary {
  native: string;
  launcher: string;
}

const found = new Map<string, Promise<CodexBinary>>();

/**
 * The codex of that version. The first call may download (about 100 MB, announced on stderr); two
 * processes that ask at once download once. Throws Error when npm fails or the binary does not run.
 */
export function codexBinary(version: string): Promise<CodexBinary> {
  const known = found.get(version) ?? locate(version);
  found.set(version, known);
  return known;
}

async function locate(version: string): Promise<CodexBinary> {
  if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) {
    throw new TypeError(`Cannot fetch codex as its version must be like 0.169.0: ${version}`);
  }
  const home = join(cacheDir(), "codex", version);
  const before = await binaryIn(home, version);
  if (before) return before;
  return await withCacheLock(`codex-${version}`, async () => {
    const meanwhile = await binaryIn(home, version);
    if (meanwhile) return meanwhile;
    await install(version, home);
    const installed = await binaryIn(home, version);
    if (installed) return installed;
    throw new Error(`codex ${version} was installed into ${home}, but has no binary that says so`);
  });
}

async function install(version: string, home: string): Promise<void> {
  const started = performance.now();
  console.error(`codex ${version}: fetching from npm into ${home} (about 100 MB, once) ...`);
  const partial = `${home}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(partial, { recursive: true });
  await Deno.writeTextFile(join(partial, "package.json"), '{"private":true}\n');
  const { code, stderr } = await new Deno.Command("npm", {
    args: [
      ...["install", "--prefix", partial, "--ignore-scripts", "--no-audit", "--no-fund"],
      ...["--no-update-notifier", "--loglevel=error", `@openai/codex@${version}`],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) {
    const reason = new TextDecoder().decode(stderr).trim().slice(-2000);
    throw new Error(`npm install @openai/codex@${version} failed with exit ${code}: ${reason}`);
  }
  await Deno.remove(home, { recursive: true }).catch(ignoreMissing);
  await Deno.rename(partial, home);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.error(`codex ${version}: fetched in ${seconds} s`);
}

/** Undefined unless the native binary is there and answers `--version` with that version. */
async function binaryIn(home: string, version: string): Promise<CodexBinary | undefined> {
  const scope = join(home, "node_modules", "@openai");
  const native = join(scope, platformPackage(), "vendor", targetTriple(), "bin", "codex");
  const launcher = join(scope, "codex", "bin", "codex.js");
  try {
    await Deno.lstat(launcher);
    const { stdout } = await new Deno.Command(native, { args: ["--version"], stdin: "null" })
      .output();
    const said = new TextDecoder().decode(stdout).trim();
    return said === `codex-cli ${version}` ? { native, launcher } : undefined;
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

function platformPackage(): string {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  return `codex-${Deno.build.os}-${arch}`;
}

function targetTriple(): string {
  const system = Deno.build.os === "darwin" ? "apple-darwin" : "unknown-linux-musl";
  return `${Deno.build.arch}-${system}`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

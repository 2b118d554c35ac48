/**
 * Real codex binaries, fetched from npm once per version into the cache and reused from then on.
 *
 * Nothing of codex runs while it is unpacked; what came is trusted only after the native binary has
 * said the version that was asked for.
 */
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { SINCE } from "../../runner/app_server/app_server.ts";
import { NEWEST_TESTED, OLDEST_SUPPORTED } from "../../runner/codex/capabilities.ts";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import { cacheDir, withCacheLock } from "./cache.ts";
import { unpackFromNpm } from "./npm.ts";

/**
 * The versions that the suite runs on: the oldest supported, one between, the newest. What the
 * plugin itself says of versions (`runner/codex/capabilities.ts`) is the one place for both ends.
 */
export const OLDEST_CODEX: string = OLDEST_SUPPORTED;
/** See {@link OLDEST_CODEX}. */
export const MIDDLE_CODEX = "0.150.1";
/** See {@link OLDEST_CODEX}. */
export const NEWEST_CODEX: string = NEWEST_TESTED;

/** The oldest whose app-server is used. */
export const APP_SERVER_CODEX: string = SINCE;
const STAYING = [APP_SERVER_CODEX, "0.169.0", NEWEST_CODEX];
/** Those that are tried as a codex that stays between turns; none where no turn can be told from the next. */
export const STAYING_CODEX: readonly string[] = marksByLimit() ? STAYING : [];
/** All of these, which `deno task test` fetches before it begins. */
export const SUITE_CODEX: readonly string[] = [OLDEST_CODEX, MIDDLE_CODEX, ...STAYING];

/** Absolute paths: the native binary, and the npm launcher (a node script) in front of it. */
export interface CodexBinary {
  native: string;
  launcher: string;
}

const found = new Map<string, Promise<CodexBinary>>();

/**
 * The codex of that version. The first call may download (about 120 MB, told on stderr); two
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

/**
 * Lays the databases of a first start of that codex into a home that it has not been started in: to make
 * them takes it longer than a short turn. A codex that is not from the cache finds its home empty.
 */
export async function layDatabases(binary: string, codexHome: string): Promise<void> {
  const cached = join(cacheDir(), "codex");
  if (!binary.startsWith(`${cached}/`)) return;
  const kept = join(cached, binary.slice(cached.length + 1).split("/", 1)[0] ?? "", "first-home");
  if (!existsSync(kept)) {
    await withCacheLock("codex-first-home", async () => {
      if (!existsSync(kept)) await startIn(binary, kept);
    });
  }
  for (const { name } of Deno.readDirSync(kept)) {
    if (/\.sqlite(-wal)?$/.test(name)) Deno.copyFileSync(join(kept, name), join(codexHome, name));
  }
}

/** An app-server without a client begins, and ends. */
async function startIn(binary: string, home: string): Promise<void> {
  const partial = `${home}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(partial, { recursive: true });
  await new Deno.Command(binary, {
    args: ["app-server"],
    env: { HOME: partial, CODEX_HOME: partial },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  await Deno.rename(partial, home);
}

async function install(version: string, home: string): Promise<void> {
  const partial = `${home}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(ignoreMissing);
  const scope = join(partial, "node_modules", "@openai");
  const native = `@openai/codex@${version}-${platform()}`;
  await unpackFromNpm(native, join(scope, `codex-${platform()}`), `codex ${version}`);
  await unpackFromNpm(
    `@openai/codex@${version}`,
    join(scope, "codex"),
    `codex ${version}'s launcher`,
  );
  await Deno.remove(home, { recursive: true }).catch(ignoreMissing);
  await Deno.rename(partial, home);
}

/** Undefined unless the native binary is there and answers `--version` with that version. */
async function binaryIn(home: string, version: string): Promise<CodexBinary | undefined> {
  const scope = join(home, "node_modules", "@openai");
  const native = join(scope, `codex-${platform()}`, "vendor", targetTriple(), "bin", "codex");
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

/** As npm's packages of codex are named: `linux-x64`. */
function platform(): string {
  return `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
}

function targetTriple(): string {
  const system = Deno.build.os === "darwin" ? "apple-darwin" : "unknown-linux-musl";
  return `${Deno.build.arch}-${system}`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

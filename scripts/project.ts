/**
 * What the build needs to know about this project: where it lies, its version and commit, and what
 * its sources are (so that "is the executable still up to date?" has an exact answer).
 */
import { join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { unlessMissing } from "../base/files.ts";
import { ROOT } from "../tests/support/checkout.ts";

export { ROOT };

/** The version; its one source is deno.json. */
export const VERSION: string = config.version;

/** The name of the executable, which is also the plugin's name. */
export const NAME = "plexum-openai-provider-plugin";

/** The names deno.json binds to files of this project, with the files' absolute paths. */
export function localImports(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config.imports)
      .filter(([, target]) => target.startsWith("./"))
      .map(([name, target]) => [name, join(ROOT, target)]),
  );
}

/** Everything the executable is made of; the build scripts count, because they decide what it is. */
const SOURCES = [
  "base",
  "deno.json",
  "deno.lock",
  "main.ts",
  "mcp_host",
  "plugin",
  "rollout",
  "runner",
  "scripts/build.ts",
  "scripts/bundle.ts",
  "scripts/compile.ts",
  "scripts/denort.ts",
  "tests/support/permissions.ts",
];

/**
 * The commit the sources were taken from, 12 digits, with `-dirty` when a source differs from it;
 * `"unknown"` outside a git checkout.
 */
export async function commit(): Promise<string> {
  const head = await git("rev-parse", "--short=12", "HEAD");
  if (head === undefined) return "unknown";
  const changes = await git("status", "--porcelain", "--", ...SOURCES);
  return changes === "" ? head : `${head}-dirty`;
}

/** SHA-256 (hex) over names and contents of all sources: equal exactly when the sources are. */
export async function sourceHash(): Promise<string> {
  const parts: string[] = [];
  for (const path of SOURCES.flatMap((source) => [...files(source)])) {
    parts.push(`${path} ${await sha256(Deno.readFileSync(join(ROOT, path)))}`);
  }
  return await sha256(new TextEncoder().encode(parts.join("\n")));
}

/** SHA-256 of the bytes, hex. */
export async function sha256(bytes: BufferSource): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

function hex(digest: ArrayBuffer): string {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The files at or below a path, relative to the root, sorted; none when the path does not exist. */
function* files(path: string): Iterable<string> {
  const info = unlessMissing(() => Deno.statSync(join(ROOT, path)));
  if (info === undefined) return;
  if (!info.isDirectory) return yield path;
  const names = [...Deno.readDirSync(join(ROOT, path))].map((entry) => entry.name).sort();
  for (const name of names) yield* files(`${path}/${name}`);
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", ROOT, ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // no git here
    throw error;
  }
}

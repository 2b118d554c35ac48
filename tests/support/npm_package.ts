/**
 * npm packages of others that the project is held against, installed once per version into the
 * cache, without running anything of theirs while installing. `deno task test` installs all of them
 * before it begins, so that no test waits for a registry.
 */
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { cacheDir, withCacheLock } from "./cache.ts";
import { fetchError, npm } from "./npm.ts";

/** A package at exactly one version. */
export type Package = readonly [name: string, version: string];

/** The command line of the MCP inspector: what `npx @modelcontextprotocol/inspector --cli` runs. */
export const MCP_INSPECTOR: Package = ["@modelcontextprotocol/inspector-cli", "1.0.3"];
/** The MCP project's conformance suite. */
export const MCP_SUITE: Package = ["@modelcontextprotocol/conformance", "0.1.16"];
/** codex's own TypeScript package, whose types name every line that codex prints. */
export const CODEX_SDK: Package = ["@openai/codex-sdk", "0.163.0"];
/** What the suite needs. */
export const PACKAGES: readonly Package[] = [MCP_INSPECTOR, MCP_SUITE, CODEX_SDK];

/** The folder of the package, its dependencies beside it. Throws Error when npm fails. */
export async function npmPackage([name, version]: Package): Promise<string> {
  const home = join(cacheDir(), "npm", `${name.replace(/\W+/g, "-")}-${version}`);
  const folder = join(home, "node_modules", name);
  if (existsSync(folder)) return folder;
  return await withCacheLock("npm", async () => {
    if (existsSync(folder)) return folder;
    console.error(`fetching ${name} ${version} and what it needs`);
    const partial = `${home}.partial`;
    if (existsSync(partial)) await Deno.remove(partial, { recursive: true });
    await Deno.mkdir(partial, { recursive: true });
    await Deno.writeTextFile(join(partial, "package.json"), '{"private":true}\n');
    await npm([
      ...["install", "--prefix", partial, "--ignore-scripts", "--omit=optional"],
      ...["--no-audit", "--no-fund", `${name}@${version}`],
    ], partial).catch((error) => {
      throw fetchError(name, `${name}@${version}`, error);
    });
    await Deno.rename(partial, home);
    return folder;
  });
}

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
export async function npmPackage(wanted: Package): Promise<string> {
  return join(await npmModules(wanted), wanted[0]);
}

/** The `node_modules` that has these, and what they need. Throws Error when npm fails. */
export async function npmModules(...packages: Package[]): Promise<string> {
  const specs = packages.map((wanted) => wanted.join("@"));
  const home = join(cacheDir(), "npm", specs.join("+").replace(/[^\w.+]+/g, "-"));
  const modules = join(home, "node_modules");
  if (existsSync(modules)) return modules;
  return await withCacheLock("npm", async () => {
    if (existsSync(modules)) return modules;
    console.error(`fetching ${specs.join(", ")} and what is needed for it`);
    const partial = `${home}.partial`;
    if (existsSync(partial)) await Deno.remove(partial, { recursive: true });
    await Deno.mkdir(partial, { recursive: true });
    await Deno.writeTextFile(join(partial, "package.json"), '{"private":true}\n');
    await npm([
      ...["install", "--prefix", partial, "--ignore-scripts", "--omit=optional"],
      ...["--no-audit", "--no-fund", ...specs],
    ], partial).catch((error) => {
      throw fetchError(packages[0]?.[0] ?? "", specs.join(" "), error);
    });
    await Deno.rename(partial, home);
    return modules;
  });
}

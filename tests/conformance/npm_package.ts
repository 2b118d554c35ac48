/**
 * npm packages of others that the project is held against: fetched once per version into the cache,
 * outside the project, without running anything of theirs while installing.
 */
import { join } from "@std/path";
import { cacheDir, withCacheLock } from "../support/cache.ts";

/** What a program said, and its exit code. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** The folder of the package `name` at exactly `version`, its dependencies beside it. */
export async function npmPackage(name: string, version: string): Promise<string> {
  const home = join(cacheDir(), "npm", `${name.replace(/\W+/g, "-")}-${version}`);
  const folder = join(home, "node_modules", name);
  if (await exists(folder)) return folder;
  return await withCacheLock("npm", async () => {
    if (await exists(folder)) return folder;
    console.error(`${name} ${version}: fetching from npm into ${home}, once …`);
    const partial = `${home}.partial`;
    await Deno.mkdir(partial, { recursive: true });
    await Deno.writeTextFile(join(partial, "package.json"), '{"private":true}\n');
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const { code, stderr } = await run("npm", [
      ...["install", "--prefix", partial, ...options, `${name}@${version}`],
    ], partial);
    if (code !== 0) {
      throw new Error(`npm install ${name}@${version} failed, exit ${code}: ${stderr}`);
    }
    await Deno.rename(partial, home);
    return folder;
  });
}

/** Runs a program to its end; `env` is the whole environment, ours when left out. */
export async function run(
  command: string,
  args: string[],
  cwd: string,
  env?: Record<string, string>,
): Promise<Said> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    ...(env ? { env, clearEnv: true } : {}),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

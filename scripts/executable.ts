/**
 * The executable for whoever wants to run it (tests, the demo, benchmarks): built when the sources
 * changed, else taken as it is. Where nothing can be compiled, the same bundle under the same
 * permissions, run by Deno. As a program it prints how to start it, as JSON on stdout.
 */
import { join } from "@std/path";
import type { Executable } from "../tests/support/checkout.ts";
import { alone, type Build, build, BUNDLE, EXECUTABLE } from "./build.ts";
import { NoBaseError } from "./compile.ts";
import { PERMISSIONS, RUNTIME_FLAGS } from "../tests/support/permissions.ts";
import { commit, sourceHash } from "./project.ts";

/** How long a build without a base is good enough for another run, in ms. */
const BUNDLE_IS_FRESH = 10 * 60_000;

/** The executable, built first if need be. */
export function upToDateExecutable(): Promise<Executable> {
  return alone(async () => prepare(await upToDate(), build));
}

/**
 * How to start the program, given the build that is up to date, if there is one, and the way to
 * build. Throws what the build throws, except that no base is a reason to run the bundle.
 */
export async function prepare(
  last: Build | undefined,
  buildNow: () => Promise<Build>,
): Promise<Executable> {
  const compiled = { command: EXECUTABLE, args: [], compiled: true };
  if (last !== undefined) return last.executable === undefined ? bundleUnderDeno() : compiled;
  try {
    console.error("building the executable…");
    await buildNow();
    return compiled;
  } catch (error) {
    if (!(error instanceof NoBaseError)) throw error;
    console.error(`${error.message}\nRunning the bundle with Deno instead, same permissions.`);
    return bundleUnderDeno();
  }
}

/** The bundle in dist/, run by this Deno under the executable's permissions. */
export function bundleUnderDeno(): Executable {
  const args = ["run", ...RUNTIME_FLAGS, ...PERMISSIONS, join(BUNDLE, "main.mjs")];
  return { command: Deno.execPath(), args, compiled: false };
}

/** The last build, if it was made from the sources as they are now and is still there. */
async function upToDate(): Promise<Build | undefined> {
  try {
    const path = join(BUNDLE, "..", "build.json");
    const last = JSON.parse(Deno.readTextFileSync(path)) as Build;
    const age = Date.now() - (Deno.statSync(path).mtime?.getTime() ?? 0);
    if (last.executable === undefined && age > BUNDLE_IS_FRESH) return undefined;
    if (last.executable && Deno.statSync(EXECUTABLE).size !== last.executable.bytes) {
      return undefined;
    }
    const same = last.sources === await sourceHash() && last.commit === await commit();
    return same ? last : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

if (import.meta.main) console.log(JSON.stringify(await upToDateExecutable()));

/**
 * What this build says of itself: `version`, and `manifest`, for which a host may wait. So nothing here
 * loads what measures text.
 *
 * @module
 */
import { loadConfig } from "../../config/config.ts";
import { COMMIT, EXECUTABLE_NAME, manifestFor, VERSION } from "../../self.ts";
import type { Arguments } from "./arguments.ts";
import { EXIT, profileOf } from "./command.ts";
import { print, printJson } from "./terminal.ts";

/** Prints one line, or all that is known as JSON. */
export function printVersion(args: Arguments): Promise<number> {
  const { deno, v8 } = Deno.version;
  const all = { version: VERSION, commit: COMMIT, deno, v8, target: Deno.build.target };
  if (args.has("json")) printJson(all);
  else print(`${EXECUTABLE_NAME} ${VERSION}`);
  return Promise.resolve(EXIT.ok);
}

/** Prints the manifest of the current configuration as JSON. */
export function printManifest(args: Arguments): number {
  printJson(manifestFor(loadConfig(profileOf(args).config).config.supported_models), 2);
  return EXIT.ok;
}

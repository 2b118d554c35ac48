/** `version`: which build this is. */
import { EXECUTABLE_NAME } from "../../names.ts";
import { COMMIT, VERSION } from "../../version.ts";
import type { Arguments } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { print, printJson } from "./terminal.ts";

/** Prints one line, or all that is known as JSON. */
export function printVersion(args: Arguments): Promise<number> {
  const { deno, v8 } = Deno.version;
  const all = { version: VERSION, commit: COMMIT, deno, v8, target: Deno.build.target };
  if (args.has("json")) printJson(all);
  else print(`${EXECUTABLE_NAME} ${VERSION}`);
  return Promise.resolve(EXIT.ok);
}

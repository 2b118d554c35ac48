/** `version`: which build this is. It loads no configuration, so that it is there at once. */
import { COMMIT, EXECUTABLE_NAME, VERSION } from "../../self.ts";
import type { Arguments } from "./arguments.ts";
import { EXIT } from "./command.ts";
import { print, printJson } from "./terminal.ts";

/** Prints one line, or all that is known as JSON. */
export function printVersion(args: Arguments): Promise<number> {
  const { deno, v8 } = Deno.version;
  const all = { version: VERSION, commit: COMMIT, deno, v8, target: Deno.build.target };
  if (args.has("json")) printJson(all);
  else print(`${EXECUTABLE_NAME} ${VERSION}`);
  return Promise.resolve(EXIT.ok);
}

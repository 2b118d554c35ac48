/** `version`: which build this is. */
import { EXECUTABLE_NAME } from "../../names.ts";
import { COMMIT, VERSION } from "../../version.ts";
import type { Arguments } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { print } from "./terminal.ts";
import { jsonText } from "./text.ts";

/** Prints one line, or all that is known as JSON. */
export function printVersion(args: Arguments): Promise<number> {
  const { deno, v8 } = Deno.version;
  const all = { version: VERSION, commit: COMMIT, deno, v8, target: Deno.build.target };
  print(args.has("json") ? jsonText(all) : `${EXECUTABLE_NAME} ${VERSION}`);
  return Promise.resolve(EXIT.ok);
}

/** `--version`: which build this is. */
import { EXECUTABLE_NAME } from "../../names.ts";
import { COMMIT, VERSION } from "../../version.ts";
import { EXIT } from "./exit.ts";
import { print } from "./terminal.ts";

/** Prints one line, or all that is known as JSON. */
export function printVersion(json: boolean): number {
  const { deno, v8 } = Deno.version;
  const all = { version: VERSION, commit: COMMIT, deno, v8, target: Deno.build.target };
  print(json ? JSON.stringify(all) : `${EXECUTABLE_NAME} ${VERSION}`);
  return EXIT.ok;
}

/**
 * `completion bash|zsh|fish`: the script that a shell reads, made from a table of commands; and
 * `completion names KIND`, which the scripts ask.
 *
 * @module
 */
import { type Arguments, UsageError } from "../cli/arguments.ts";
import { type CommandTable, EXIT } from "../cli/command.ts";
import { print } from "../cli/terminal.ts";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { zsh } from "./zsh.ts";

const SCRIPTS: Readonly<Record<string, (table: CommandTable) => string>> = { bash, zsh, fish };

/** Prints the script that completes the commands of `table`, or names. */
export async function printCompletion(args: Arguments, table: CommandTable): Promise<number> {
  const [shell = "", kind] = args.words;
  if (shell === "names" && kind !== undefined) {
    const { knownNames } = await import("../sessions/forget_command.ts");
    for (const name of knownNames(args, kind)) print(name);
    return EXIT.ok;
  }
  const script = Object.hasOwn(SCRIPTS, shell) && kind === undefined ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    const asked = JSON.stringify(args.words.join(" "));
    throw new UsageError(`there is a script for bash, zsh and fish, not for ${asked}`);
  }
  print(script(table));
  return EXIT.ok;
}

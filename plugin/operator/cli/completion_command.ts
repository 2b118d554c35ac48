/**
 * `completion bash|zsh|fish`: the script that a shell reads, made from a table of commands.
 *
 * @module
 */
import { type Arguments, UsageError } from "./arguments.ts";
import type { CommandTable } from "./command.ts";
import { bash } from "./completion_bash.ts";
import { fish } from "./completion_fish.ts";
import { zsh } from "./completion_zsh.ts";
import { EXIT } from "./exit.ts";
import { print } from "./terminal.ts";

const SCRIPTS: Readonly<Record<string, (table: CommandTable) => string>> = { bash, zsh, fish };

/** Prints the script that completes the commands of `table`. */
export function printCompletion(args: Arguments, table: CommandTable): number {
  const [shell = ""] = args.words;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    throw new UsageError(
      `there is a script for bash, zsh and fish, not for ${JSON.stringify(shell)}`,
    );
  }
  print(script(table));
  return EXIT.ok;
}

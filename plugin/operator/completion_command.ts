/**
 * `completion bash|zsh|fish`: the script that a shell reads, made from the table of commands.
 *
 * @module
 */
import { type Arguments, UsageError } from "./arguments.ts";
import { bash } from "./completion_bash.ts";
import { fish } from "./completion_fish.ts";
import { zsh } from "./completion_zsh.ts";
import { EXIT } from "./exit.ts";
import { print } from "./terminal.ts";

const SCRIPTS: Readonly<Record<string, () => string>> = { bash, zsh, fish };

/** Prints the script. */
export function printCompletion(args: Arguments): number {
  const [shell = ""] = args.words;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined) {
    throw new UsageError(
      `there is a script for bash, zsh and fish, not for ${JSON.stringify(shell)}`,
    );
  }
  print(script());
  return EXIT.ok;
}

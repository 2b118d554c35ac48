/**
 * From a command line to an exit code: which command is meant, or what was probably meant.
 *
 * @module
 */
import { ConfigError } from "../../config/config_error.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { nearest } from "../../nearest.ts";
import { EXECUTABLE_NAME } from "../../names.ts";
import { parseArguments } from "./argument_parser.ts";
import { UsageError } from "./arguments.ts";
import { type Action, type Command, HELP, isGroup, isRaw } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT } from "./exit.ts";
import { helpOf, overview } from "./help.ts";
import { columns, complain, print } from "./terminal.ts";

/** Runs one command and returns the exit code. */
export async function runCommand(name: string, args: string[]): Promise<number> {
  switch (name) {
    case "--version":
    case "-V":
      return (await import("./version_command.ts")).printVersion(args.includes("--json"));
    case "--help":
    case "-h":
      print(overview(COMMANDS, columns()));
      return EXIT.ok;
    case "help":
      return args[0] === undefined
        ? await runCommand("--help", [])
        : await runCommand(args[0], [...args.slice(1), "--help"]);
  }
  const command = named(COMMANDS, name);
  if (command === undefined) {
    return misunderstood(unknown("command", name, [...Object.keys(COMMANDS), "--version"]));
  }
  return await run(name, command, args);
}

async function run(name: string, command: Command, args: string[]): Promise<number> {
  const asksHelp = (word: string | undefined) => word === "--help" || word === "-h";
  if (isGroup(command)) {
    const [sub, ...rest] = args;
    const action = sub === undefined ? undefined : named(command.commands, sub);
    if (action !== undefined) return await runAction(`${name} ${sub}`, action, rest);
    if (sub === undefined || asksHelp(sub)) {
      print(helpOf(name, command, columns()));
      return sub === undefined ? EXIT.usage : EXIT.ok;
    }
    return misunderstood(unknown("command", sub, Object.keys(command.commands)), name);
  }
  if (isRaw(command)) {
    if (!asksHelp(args[0])) return await command.runRaw(args);
    print(helpOf(name, command, columns()));
    return EXIT.ok;
  }
  return await runAction(name, command, args);
}

async function runAction(name: string, action: Action, argv: string[]): Promise<number> {
  try {
    const args = parseArguments(argv, action);
    if (!args.has(HELP.name)) return await action.run(args);
    print(helpOf(name, action, columns()));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof UsageError) return misunderstood(error.message, name);
    complain(`${name}: ${errorMessage(error)}`);
    return error instanceof ConfigError ? EXIT.config : EXIT.failed;
  }
}

function named<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `unknown ${what} ${JSON.stringify(name)}` +
    (meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`);
}

function misunderstood(message: string, name = ""): number {
  const prefix = name === "" ? "" : `${name}: `;
  complain(`${prefix}${message}\nSee ${EXECUTABLE_NAME} ${name === "" ? "" : `${name} `}--help.`);
  return EXIT.usage;
}

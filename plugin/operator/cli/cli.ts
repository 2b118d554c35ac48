/**
 * From a command line to an exit code: which command is meant, or what was probably meant.
 *
 * @module
 */
import { inWords } from "../../../base/error_message.ts";
import { EXECUTABLE_NAME } from "../../self.ts";
import { ConfigError, nearest } from "../../shape_error.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import { type Action, type Command, EXIT, HELP, isGroup, isRaw } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { columns, complain, print } from "./terminal.ts";

/** What a command may be called instead. */
const ALIASES: Readonly<Record<string, string>> = {
  "--version": "version",
  "-V": "version",
  "--help": "help",
  "-h": "help",
};

/** Runs one command and returns the exit code. */
export async function runCommand(name: string, args: string[]): Promise<number> {
  if (name === "--" && args[0] !== undefined) return await runCommand(args[0], args.slice(1));
  const meant = named(ALIASES, name) ?? name;
  if (meant === "help") return await help(args);
  const command = named<Command>(COMMANDS, meant);
  if (command === undefined) {
    const known = name.startsWith("-") ? Object.keys(ALIASES) : [...Object.keys(COMMANDS), "help"];
    return misunderstood(unknown("command", name, known));
  }
  return await run(meant, command, args);
}

/** `help [COMMAND… | TOPIC]`. */
async function help(words: readonly string[]): Promise<number> {
  // Text for people takes a while to load, and most commands write none of it.
  const [{ helpOf, overview }, { TOPICS }, { wrapProse }] = await Promise.all([
    import("./help.ts"),
    import("./help.ts"),
    import("./text.ts"),
  ]);
  const [first, second] = words.filter((word) => word !== "--help" && word !== "-h");
  if (first === undefined) print(overview(COMMANDS, TOPICS, columns()));
  else if (named(TOPICS, first) !== undefined) {
    print(wrapProse(named(TOPICS, first)?.text() ?? "", columns()));
  } else {
    const command = named<Command>(COMMANDS, first);
    const sub = command !== undefined && isGroup(command) && second !== undefined
      ? named(command.commands, second)
      : undefined;
    const known = [...Object.keys(COMMANDS), ...Object.keys(TOPICS)];
    if (command === undefined) return misunderstood(unknown("command or topic", first, known));
    if (second !== undefined && sub === undefined) {
      const below = isGroup(command) ? Object.keys(command.commands) : [];
      return misunderstood(unknown("command", second, below), first);
    }
    print(helpOf(sub === undefined ? first : `${first} ${second}`, sub ?? command, columns()));
  }
  return EXIT.ok;
}

async function run(name: string, command: Command, args: string[]): Promise<number> {
  const asksHelp = (word: string | undefined) => word === "--help" || word === "-h";
  if (isGroup(command)) {
    const [sub, ...rest] = args[0] === "--" ? args.slice(1) : args;
    const action = sub === undefined ? undefined : named(command.commands, sub);
    if (action !== undefined) return await runAction(`${name} ${sub}`, action, rest);
    if (sub === undefined || asksHelp(sub)) {
      await printHelp(name, command);
      return sub === undefined ? EXIT.usage : EXIT.ok;
    }
    return misunderstood(unknown("command", sub, Object.keys(command.commands)), name);
  }
  if (isRaw(command)) {
    if (!args.some(asksHelp)) return await command.runRaw(args);
    await printHelp(name, command);
    return EXIT.ok;
  }
  return await runAction(name, command, args);
}

async function runAction(name: string, action: Action, argv: string[]): Promise<number> {
  try {
    const args = parseArguments(argv, action);
    if (!args.has(HELP.name)) return await action.run(args);
    await printHelp(name, action);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof UsageError) return misunderstood(error.message, name);
    complain(inWords(error));
    return error instanceof ConfigError ? EXIT.config : EXIT.failed;
  }
}

async function printHelp(name: string, command: Command): Promise<void> {
  const { helpOf } = await import("./help.ts");
  print(helpOf(name, command, columns()));
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

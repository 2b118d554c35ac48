/**
 * What a command is: enough to run it, to explain it, and to make completions and the man page from.
 *
 * @module
 */
import type { Arguments } from "./arguments.ts";

/** What a value is, for completions; a list has all that it can be. */
export type ValueKind = "file" | "directory" | KnownNames | readonly string[];

/** Names that the executable itself knows. */
export type KnownNames = "threads" | "agents" | "conversations";

/** One option of a command. */
export interface Option {
  /** Without the dashes. */
  name: string;
  short?: string;
  /** The value's name in the usage line; an option without one is a switch. */
  value?: string;
  kind?: ValueKind;
  /** It may stand more than once. */
  repeats?: boolean;
  /** One line, lower case, no full stop. */
  summary: string;
}

/** What the words after the options are. */
export interface Words {
  /** As in the usage line, e.g. `PROMPT...`. */
  usage: string;
  min: number;
  max: number;
  kind?: ValueKind;
  summary: string;
}

/** A command line and what it is good for. */
export interface Example {
  /** Without the name of the executable. */
  line: string;
  says: string;
}

/** What every command has. */
interface Described {
  /** One line, lower case, no full stop. */
  summary: string;
  /** Paragraphs for `--help` and the man page. */
  details?: readonly string[];
  examples?: readonly Example[];
}

/** A command that does something. */
export interface Action extends Described {
  options: readonly Option[];
  words?: Words;
  run(args: Arguments): Promise<number>;
}

/** A command that takes its arguments as they are: its error words belong to a protocol. */
export interface Raw extends Described {
  usage: string;
  options: readonly Option[];
  runRaw(args: string[]): Promise<number>;
}

/** A command that only has commands below it. */
export interface Group extends Described {
  commands: Readonly<Record<string, Action>>;
}

/** A command of the executable. */
export type Command = Action | Raw | Group;

/** Commands by their names, in the order of `--help`. */
export type CommandTable = Readonly<Record<string, Command>>;

/** Whether the command has commands below it. */
export function isGroup(command: Command): command is Group {
  return "commands" in command;
}

/** Whether the command parses its arguments itself. */
export function isRaw(command: Command): command is Raw {
  return "runRaw" in command;
}

/** The command's arguments as in a usage line: `[--profile DIR] PROMPT…`. */
export function usageOf(command: Command): string {
  if (isGroup(command)) return Object.keys(command.commands).join("|");
  if (isRaw(command)) return command.usage;
  const options = command.options.map(({ name, value, repeats }) =>
    `[--${name}${value === undefined ? "" : ` ${value}`}]${repeats ? "..." : ""}`
  );
  return [...options, ...(command.words === undefined ? [] : [command.words.usage])].join(" ");
}

/** The option that every command has. */
export const HELP: Option = { name: "help", short: "h", summary: "explain this command" };

/** The exit codes of the executable; 64 and 78 are sysexits' EX_USAGE and EX_CONFIG. */
export const EXIT = {
  /** Everything that was asked for is done, or there was nothing to do. */
  ok: 0,
  /** Something of what was asked for could not be done, or a check failed; stderr says what. */
  failed: 1,
  /** The command line is not understood, or an option names a directory that is not there. */
  usage: 64,
  /** `config.json` cannot be used; nothing was done. */
  config: 78,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** The table of `--help`, the man page and the docs. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, "all done, or nothing to do"],
  [EXIT.failed, "something could not be done, or a check failed; the output says what"],
  [
    EXIT.usage,
    "the command line is not understood, or names a directory that is not there; nothing was done",
  ],
  [EXIT.config, "config.json cannot be used; nothing was done"],
  [EXIT.interrupted, "ended by Ctrl-C"],
];

/*
 * Options that several commands have, and what they mean.
 */

/** Whose plugin it is. */
export const PROFILE: Option = {
  name: "profile",
  value: "DIR",
  kind: "directory",
  summary: "the Plexum profile; else PLEXUM_PROFILE_ROOT, else ~/.plexum",
};

/** Output for programs. */
export const JSON_OUTPUT: Option = { name: "json", summary: "as JSON" };

/** Only look. */
export const DRY_RUN: Option = {
  name: "dry-run",
  summary: "say what would be done, and do nothing",
};

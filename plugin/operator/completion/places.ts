/**
 * What may follow a command line so far: the table of commands as completions need it.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../self.ts";
import {
  type Command,
  type CommandTable,
  HELP,
  isGroup,
  isRaw,
  type KnownNames,
  type Option,
  type ValueKind,
} from "../cli/command.ts";

/** A command line so far (`config show`) and what may follow. */
export interface Place {
  words: string[];
  summary: string;
  commands: readonly (readonly [string, string])[];
  options: readonly Option[];
  kind: ValueKind | undefined;
}

/** Every command and every command below one. */
export function places(table: CommandTable): Place[] {
  return Object.entries(table).flatMap(([name, command]): Place[] => [
    place([name], command),
    ...(isGroup(command)
      ? Object.entries(command.commands).map(([sub, action]) => place([name, sub], action))
      : []),
  ]);
}

function place(words: string[], command: Command): Place {
  const { summary } = command;
  if (isGroup(command)) {
    const commands = Object.entries(command.commands)
      .map(([name, { summary }]) => [name, summary] as const);
    return { words, summary, commands, options: [HELP], kind: undefined };
  }
  const kind = isRaw(command) ? undefined : command.words?.kind;
  return { words, summary, commands: [], options: [...command.options, HELP], kind };
}

/** The command that prints the names of a kind, one a line. */
export function namesOf(kind: string): string | undefined {
  const known: readonly string[] = ["threads", "agents", "conversations"] satisfies KnownNames[];
  return known.includes(kind)
    ? `${EXECUTABLE_NAME} completion names ${kind} 2>/dev/null`
    : undefined;
}

/** What may come first, with what it does. */
export function top(table: CommandTable): (readonly [string, string])[] {
  return [
    ...Object.entries(table).map(([name, { summary }]) => [name, summary] as const),
    ["help", "explain a command"],
    ["--version", "print the version"],
    ["--help", "list the commands"],
  ];
}

/** For a shell: single quotes, and those inside taken out of them. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The help texts, made from the table of commands.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../self.ts";
import {
  type Command,
  type CommandTable,
  EXIT_MEANINGS,
  HELP,
  isGroup,
  type Option,
  usageOf,
} from "./command.ts";
import { padTo, widthOf, wrap } from "./text.ts";
import type { Topic } from "./topics.ts";

/** What the program is, in one line. */
const TITLE = "The Plexum provider plugin for OpenAI Codex.";

/** Where a list puts its right column, where there is room for two. */
const RIGHT = 30;

/** `--help`: all commands. */
export function overview(
  commands: CommandTable,
  topics: Readonly<Record<string, Topic>>,
  width: number,
): string {
  const rows = (of: Readonly<Record<string, { summary: string }>>) =>
    Object.entries(of).map(([name, { summary }]): [string, string] => [name, summary]);
  const codes = EXIT_MEANINGS.map(([code, meaning]): [string, string] => [String(code), meaning]);
  const all: [string, string][] = [
    ["(none)", "serve a Plexum host over stdin and stdout"],
    ...rows(commands),
    ["help [COMMAND|TOPIC]", "explain a command or a topic"],
  ];
  return [
    wrap(TITLE, width),
    wrap(`Usage: ${EXECUTABLE_NAME} [COMMAND] [OPTIONS]`, width - 2, "  "),
    `Commands:\n${list(all, width)}`,
    `Topics:\n${list(rows(topics), width)}`,
    `Exit codes:\n${list(codes, width)}`,
  ].join("\n\n");
}

/** `COMMAND --help`. `name` is the whole name, e.g. `config show`. */
export function helpOf(name: string, command: Command, width: number): string {
  const { summary, details = [], examples = [] } = command;
  const sections = [
    wrap(sentence(summary), width),
    wrap(`Usage: ${EXECUTABLE_NAME} ${name} ${usageOf(command)}`.trim(), width - 4, "    "),
    ...details.map((paragraph) => wrap(paragraph, width)),
  ];
  if (isGroup(command)) {
    const rows = Object.entries(command.commands)
      .map(([sub, { summary }]): [string, string] => [sub, summary]);
    sections.push(`Commands:\n${list(rows, width)}`);
  } else {
    if ("words" in command && command.words !== undefined) {
      const { usage, summary } = command.words;
      sections.push(`Arguments:\n${list([[usage, summary]], width)}`);
    }
    const rows = [...command.options, HELP].map((option): [string, string] => [
      optionName(option),
      option.summary,
    ]);
    sections.push(`Options:\n${list(rows, width)}`);
  }
  if (examples.length > 0) {
    const lines = examples.map(({ line, says }) =>
      `  # ${wrap(says, width - 4, "  # ")}\n  ${EXECUTABLE_NAME} ${line}`
    );
    sections.push(`Examples:\n${lines.join("\n")}`);
  }
  return sections.join("\n\n");
}

/** `-h, --help` or `--profile DIR`. */
function optionName({ name, short, value }: Option): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${
    value === undefined ? "" : ` ${value}`
  }`;
}

/** Two columns, or, where the lines are short, one thing under the other. */
function list(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.min(RIGHT, Math.max(...rows.map(([name]) => widthOf(name))) + 4);
  const narrow = width < 60;
  return rows.map(([name, says]) => {
    if (narrow || widthOf(name) > left - 4) {
      const indent = " ".repeat(narrow ? 6 : left);
      return `  ${name}\n${indent}${wrap(says, width - indent.length, indent)}`;
    }
    const indent = " ".repeat(left);
    return padTo(`  ${name}`, left) + wrap(says, width - left, indent);
  }).join("\n");
}

function sentence(summary: string): string {
  return summary.charAt(0).toUpperCase() + summary.slice(1) + ".";
}

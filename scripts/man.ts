/**
 * The man page, made from the table of commands that the executable itself goes by.
 */
import {
  type Command,
  EXIT_MEANINGS,
  HELP,
  isGroup,
  type Option,
  usageOf,
} from "../plugin/operator/cli/command.ts";
import { COMMANDS } from "../plugin/operator/cli/commands.ts";
import { ENVIRONMENT } from "../plugin/operator/cli/help.ts";
import { EXECUTABLE_NAME } from "../plugin/self.ts";
import { VERSION } from "./project.ts";

/** Where it lies in the repository. */
export const MAN_PAGE = `docs/${EXECUTABLE_NAME}.1`;

/** The page as troff, with the `man` macros. */
export function manPage(): string {
  const lines = [
    `.TH "${EXECUTABLE_NAME.toUpperCase()}" "1" "" "${EXECUTABLE_NAME} ${VERSION}" "Plexum"`,
    ".SH NAME",
    `${text(EXECUTABLE_NAME)} \\- the Plexum provider plugin for OpenAI Codex`,
    ".SH SYNOPSIS",
    ...Object.entries(COMMANDS).flatMap(([name, command]) => [
      ".HP",
      `\\fB${text(EXECUTABLE_NAME)} ${text(name)}\\fR ${text(usageOf(command))}`,
    ]),
    ".SH DESCRIPTION",
    "Without arguments it serves a Plexum host over stdin and stdout; the host starts it so.",
    "The commands below are for the person who runs that host.",
    ".SH COMMANDS",
    ...Object.entries(COMMANDS).flatMap(([name, command]) => section(name, command)),
    ".SH EXIT STATUS",
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => [".TP", `.B ${code}`, text(meaning)]),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, meaning]) => [".TP", `.B ${name}`, text(meaning)]),
    ".SH FILES",
    ...FILES.flatMap(([path, meaning]) => [".TP", `.I ${text(path)}`, text(meaning)]),
  ];
  return lines.join("\n") + "\n";
}

const PLUGIN = "<profile>/plugins/plexum-openai-provider";
const FILES = [
  [`${PLUGIN}/config.json`, "the configuration, JSON with comments"],
  [`${PLUGIN}/manifest.json`, "what the host reads before it starts the plugin"],
  [`${PLUGIN}/state`, "which thread belongs to which agent"],
  ["<profile>/plexum.json", "the host's own configuration; plugins.allow names the plugin"],
] as const;

function section(name: string, command: Command): string[] {
  const { summary, details = [], examples = [] } = command;
  const lines = [
    `.SS "${name}"`,
    `${text(summary.charAt(0).toUpperCase() + summary.slice(1))}.`,
    ...details.flatMap((paragraph) => [".PP", text(paragraph)]),
  ];
  if (!isGroup(command)) lines.push(...[...command.options, HELP].flatMap(option));
  for (const { line, says } of examples) {
    lines.push(".PP", `${text(says.charAt(0).toUpperCase() + says.slice(1))}:`, ".PP", ".nf");
    lines.push(`    ${text(`${EXECUTABLE_NAME} ${line}`)}`, ".fi");
  }
  if (!isGroup(command)) return lines;
  const inner = Object.entries(command.commands);
  return [...lines, ...inner.flatMap(([sub, action]) => section(`${name} ${sub}`, action))];
}

function option({ name, short, value, summary }: Option): string[] {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`]
    .map((one) => `\\fB${text(one)}\\fR`).join(", ");
  return [".TP", value === undefined ? names : `${names} \\fI${text(value)}\\fR`, text(summary)];
}

/** For troff: its own characters escaped, and no line that begins like a request. */
function text(plain: string): string {
  const escaped = plain.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...")
    .replaceAll("≈", "~");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

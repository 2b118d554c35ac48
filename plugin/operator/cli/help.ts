/**
 * The help texts, made from the table of commands, and the topics beside them.
 *
 * @module
 */
import type { ErrorKind } from "../../../runner/turn_event.ts";
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

/*
 * What `help TOPIC` explains: the parts of the documentation that are needed where only the
 * executable is at hand.
 */

/** A text that is longer than a help text. Lines that begin with a space are left as they are. */
export interface Topic {
  /** One line, lower case, no full stop. */
  summary: string;
  text(): string;
}

/** What to do about an error of each kind. */
export const ERROR_KINDS: Readonly<Record<ErrorKind, string>> = {
  config:
    "config.json, codex's config.toml, a directory or this machine's requirements stand in the way: `config check`, then `doctor`.",
  invalid_request:
    "The request cannot be used, or the model's service does not take it; the message says what.",
  workspace_required: "The host sent no workspace. Give the agent one.",
  codex_missing: "codex was not found, or does not run: `doctor`.",
  codex_too_old:
    "Upgrade codex: npm install -g @openai/codex@latest. Where a newer one made the thread: set `binary` to it",
  auth_required: "codex is not logged in, as this user and with this CODEX_HOME: codex login",
  quota_exhausted: "The account's limit is used up. Wait for its reset, or raise the plan.",
  rate_limited: "Too many requests at once. Try again later, or set max_parallel_turns.",
  context_overflow:
    "The thread is too long for the model: `sessions show`, then `sessions consume`.",
  model_unavailable:
    "The account may not use this model, or it does not exist: the model id, and model_args.",
  network: "The model's service cannot be reached: network, proxy (HTTPS_PROXY), certificates.",
  server_error: "The model's service failed. Try again later.",
  content_refused: "The model's service refuses the content. Change the request.",
  session_lost: "codex no longer has the thread; on_lost_session says what happens then.",
  session_busy:
    "Another codex has the thread open: end it, or wait for it. `sessions release` frees one that waits.",
  mcp_unavailable:
    "codex could not reach the host's tools: `doctor`, its lines runtime_directory and mcp_host.",
  timeout: "A limit of timeouts in config.json was reached; the message names it.",
  crashed: "codex ended without finishing the turn; the detail has the end of its stderr.",
  cancelled: "Reserved: a cancelled turn ends with the stop reason `cancelled`, not with an error.",
  internal:
    "A fault of the machine, such as a full disk, or of this plugin: then please report it, with the message and the detail.",
};

/** The topics, by name. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  errors: {
    summary: "what each kind of error means, and what to do",
    text: () => Object.entries(ERROR_KINDS).map(([kind, says]) => `${kind}: ${says}`).join("\n\n"),
  },
  "exit-codes": {
    summary: "what the exit codes mean, for every command",
    text: () => EXIT_MEANINGS.map(([code, says]) => `${code}: ${says}`).join("\n"),
  },
  environment: {
    summary: "which variables count",
    text: () => ENVIRONMENT.map(([name, says]) => `${name}: ${says}`).join("\n\n"),
  },
  sandbox: {
    summary: "what codex's sandbox needs of the machine",
    text: () =>
      `codex runs its tools in a sandbox. On Linux it makes one with user namespaces, by bubblewrap: the one that npm brings with codex, or /usr/bin/bwrap. Where that fails, every tool call of codex fails.

See whether it works, as the user and under the restrictions of the service:

  codex sandbox -- true

In a container: the default seccomp profiles of Docker and Podman forbid new user namespaces. Either allow them (docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined), or let the container be the sandbox and set "sandbox": "danger-full-access" in config.json.

On Ubuntu 24.04 and later AppArmor forbids them to programs without a profile. To allow them:

  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0

In a systemd unit RestrictNamespaces=, a SystemCallFilter= without @mount, ProtectProc= and ProcSubset= break it.`,
  },
};

/** The variables that the executable itself reads. */
export const ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  ["PLEXUM_PROFILE_ROOT", "the Plexum profile, where --profile does not say; else ~/.plexum"],
  [
    "HOME",
    "needed where PLEXUM_PROFILE_ROOT is not set; codex gets the user's home directory where it is missing",
  ],
  ["CODEX_HOME", "codex's home; else ~/.codex. env in config.json wins over it"],
  ["PATH", "where codex is looked for, before the usual places"],
  ["XDG_RUNTIME_DIR", "where the sockets of host tools go; else the plugin's state directory"],
  ["NO_COLOR", "no colour, unless it is empty"],
  ["FORCE_COLOR, CLICOLOR_FORCE", "colour in pipes, too, unless 0"],
  ["LC_ALL, LC_CTYPE, LANG", "a locale without UTF-8 gets plain signs"],
  [
    "COLUMNS",
    "how wide to write where the output is not a terminal; lines are not broken where it is not set",
  ],
];

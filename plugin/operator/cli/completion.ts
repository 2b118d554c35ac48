/**
 * `completion bash|zsh|fish`: the script that a shell reads, made from a table of commands; and
 * `completion names KIND`, which the scripts ask.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../self.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import {
  type Command,
  type CommandTable,
  EXIT,
  HELP,
  isGroup,
  isRaw,
  type KnownNames,
  type Option,
  type ValueKind,
} from "./command.ts";
import { print } from "./terminal.ts";

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

/*
 * What may follow a command line so far: the table of commands as completions need it.
 */

/** A command line so far (`config show`) and what may follow. */
interface Place {
  words: string[];
  summary: string;
  commands: readonly (readonly [string, string])[];
  options: readonly Option[];
  kind: ValueKind | undefined;
}

/** Every command and every command below one. */
function places(table: CommandTable): Place[] {
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
function namesOf(kind: string): string | undefined {
  const known: readonly string[] = ["threads", "agents", "conversations"] satisfies KnownNames[];
  return known.includes(kind)
    ? `${EXECUTABLE_NAME} completion names ${kind} 2>/dev/null`
    : undefined;
}

/** What may come first, with what it does. */
function top(table: CommandTable): (readonly [string, string])[] {
  return [
    ...Object.entries(table).map(([name, { summary }]) => [name, summary] as const),
    ["help", "explain a command"],
    ["--version", "print the version"],
    ["--help", "list the commands"],
  ];
}

/** For a shell: single quotes, and those inside taken out of them. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/*
 * Completion for bash.
 */

/** The script: a `case` on the words so far; the value of an option is completed by its kind. */
export function bash(table: CommandTable): string {
  const wordCases = places(table).map(({ words, commands, options, kind }) => {
    const offered = [
      ...commands.map(([name]) => name),
      ...options.map(({ name }) => `--${name}`),
      ...(typeof kind === "object" ? kind : []),
    ];
    const names = typeof kind === "string" ? namesOf(kind) : undefined;
    const more = names === undefined ? "" : `" $(${names})"`;
    return `    ${quote(words.join(" "))}) offer=${quote(offered.join(" "))}${more} ;;`;
  });
  const values = new Map<string, string>();
  for (const { name, short, value, kind } of places(table).flatMap(({ options }) => options)) {
    if (value === undefined) continue;
    const pattern = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].join("|");
    values.set(pattern, bashValue(kind));
  }
  const valueCases = [...values].map(([pattern, action]) => `    ${pattern}) ${action}; return ;;`);
  return `# bash completion for ${EXECUTABLE_NAME}; source it, or put it into
# ~/.local/share/bash-completion/completions/${EXECUTABLE_NAME}
_plexum_openai_provider() {
  local previous=\${COMP_WORDS[COMP_CWORD-1]} offer= words= i line=\${COMP_LINE:0:COMP_POINT}
  # bash takes a colon for the end of a word; the ids of agents have one.
  local current=\${line##*[[:space:]]} begun=
  [[ $current == *:* ]] && begun=\${current%"\${current##*:}"}
  COMPREPLY=()
  case $previous in
${valueCases.join("\n")}
  esac
  for ((i = 1; i < COMP_CWORD && i < 3; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] && break
    words+=\${words:+ }\${COMP_WORDS[i]}
  done
  case $words in
    '') offer=${quote(top(table).map(([name]) => name).join(" "))} ;;
${wordCases.join("\n")}
    *) case \${words%% *} in
${
    places(table).filter(({ words, commands }) => words.length === 1 && commands.length === 0).map((
      { words, options },
    ) => `      ${words[0]}) offer=${quote(options.map(({ name }) => `--${name}`).join(" "))} ;;`)
      .join("\n")
  }
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$offer" -- "$current"))
  COMPREPLY=("\${COMPREPLY[@]#"$begun"}")
}
complete -o default -F _plexum_openai_provider ${EXECUTABLE_NAME}`;
}

function bashValue(kind: ValueKind | undefined): string {
  if (typeof kind === "object") {
    return `COMPREPLY=($(compgen -W ${quote(kind.join(" "))} -- "$current"))`;
  }
  if (kind === "directory") return `COMPREPLY=($(compgen -d -- "$current"))`;
  if (kind === "file") return `COMPREPLY=($(compgen -f -- "$current"))`;
  if (kind === undefined) return ":";
  return `COMPREPLY=($(compgen -W "$(${
    namesOf(kind)
  })" -- "$current")); COMPREPLY=("\${COMPREPLY[@]#"$begun"}")`;
}

/*
 * Completion for zsh.
 */

/** The script: descriptions for commands and options. */
export function zsh(table: CommandTable): string {
  const described = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([name, summary]) => quote(`${name.replaceAll(":", "\\:")}:${summary}`)).join(" ");
  const cases = places(table).map(({ words, commands, options, kind }) => {
    const specs = options.map(zshOption);
    const names = typeof kind === "string" ? namesOf(kind) : undefined;
    if (names !== undefined) specs.push(quote(`*:name:${compadd(names)}`));
    else if (typeof kind === "object") specs.push(quote(`1:which one:(${kind.join(" ")})`));
    else if (commands.length === 0) specs.push(quote("*:file:_files"));
    const body = commands.length > 0
      ? `commands=(${described(commands)}); _describe command commands`
      : `_arguments ${specs.join(" ")}`;
    // The words of the command are one to _arguments.
    const skip =
      `shift ${words.length} words; words[1]=${EXECUTABLE_NAME}; (( CURRENT -= ${words.length} ))`;
    return `    ${quote(words.join(" "))}) ${skip}; ${body} ;;`;
  });
  return `#compdef ${EXECUTABLE_NAME}
# zsh completion; put it into a directory of $fpath as _${EXECUTABLE_NAME}
_plexum_openai_provider() {
  local -a commands
  local key=$words[2]
  if (( CURRENT == 2 )); then
    commands=(${described(top(table))})
    _describe command commands
    return
  fi
  case $key in
${
    places(table).filter(({ commands }) => commands.length > 0).map(({ words }) =>
      `    ${words[0]}) (( CURRENT > 3 )) && key="$key $words[3]" ;;`
    ).join("\n")
  }
  esac
  case $key in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _${EXECUTABLE_NAME} ]]; then _plexum_openai_provider "$@"; else compdef _plexum_openai_provider ${EXECUTABLE_NAME}; fi`;
}

function compadd(command: string): string {
  return `{compadd -- \${(f)"$(${command})"}}`;
}

function zshOption({ name, value, kind, summary }: Option): string {
  const says = summary.replace(/[[\]:]/g, "\\$&");
  if (value === undefined) return quote(`--${name}[${says}]`);
  const action = typeof kind === "object"
    ? `(${kind.join(" ")})`
    : typeof kind === "string" && namesOf(kind) !== undefined
    ? compadd(namesOf(kind) ?? "")
    : kind === "directory"
    ? "_files -/"
    : kind === "file"
    ? "_files"
    : "";
  return quote(`--${name}=[${says}]:${value}:${action}`);
}

/*
 * Completion for fish.
 */

/** The script: one `complete` line for each thing that may come. */
export function fish(table: CommandTable): string {
  const line = (parts: readonly string[]) => `complete -c ${EXECUTABLE_NAME} ${parts.join(" ")}`;
  const lines = top(table).map(([name, summary]) =>
    line(["-n", "__fish_use_subcommand", "-f", "-a", quote(name), "-d", quote(summary)])
  );
  for (const { words, commands, options, kind } of places(table)) {
    const names = commands.map(([name]) => name);
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const alone = names.length === 0
      ? seen
      : `${seen}; and not __fish_seen_subcommand_from ${names.join(" ")}`;
    for (const [name, summary] of commands) {
      lines.push(line(["-n", quote(alone), "-f", "-a", quote(name), "-d", quote(summary)]));
    }
    if (typeof kind === "object") {
      lines.push(line(["-n", quote(seen), "-f", "-a", quote(kind.join(" "))]));
    }
    const known = typeof kind === "string" ? namesOf(kind) : undefined;
    if (known !== undefined) lines.push(line(["-n", quote(seen), "-f", "-a", quote(`(${known})`)]));
    for (const option of options) {
      lines.push(line(["-n", quote(alone), ...fishOption(option)]));
    }
  }
  return [
    `# fish completion for ${EXECUTABLE_NAME}; put it into ~/.config/fish/completions/`,
    ...lines,
  ]
    .join("\n");
}

function fishOption({ name, short, value, kind, summary }: Option): string[] {
  const names = typeof kind === "string" ? namesOf(kind) : undefined;
  return [
    "-l",
    name,
    ...(short === undefined ? [] : ["-s", short]),
    ...(value === undefined ? ["-f"] : ["-r"]),
    ...(value !== undefined && kind !== "file" && kind !== "directory" ? ["-f"] : []),
    ...(kind === "file" || kind === "directory" ? ["-F"] : []),
    ...(typeof kind === "object" ? ["-a", quote(kind.join(" "))] : []),
    ...(names === undefined ? [] : ["-a", quote(`(${names})`)]),
    "-d",
    quote(summary),
  ];
}

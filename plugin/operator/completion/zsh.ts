/**
 * Completion for zsh.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../self.ts";
import type { CommandTable, Option } from "../cli/command.ts";
import { namesOf, places, quote, top } from "./places.ts";

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

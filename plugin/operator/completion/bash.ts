/**
 * Completion for bash.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../self.ts";
import type { CommandTable, ValueKind } from "../cli/command.ts";
import { namesOf, places, quote, top } from "./places.ts";

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

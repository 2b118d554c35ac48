/**
 * Completion for fish.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../self.ts";
import type { CommandTable, Option } from "../cli/command.ts";
import { namesOf, places, quote, top } from "./places.ts";

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

/**
 * The table of options in docs/configuration.md, made from the schema of `config.json`.
 */
import { type ConfigOption, configOptions } from "../plugin/operator/setup/config_reference.ts";

/** The table as Markdown. */
export function optionTable(): string {
  const rows = configOptions().map((option) => [
    `\`${option.path.join(".")}\``,
    cell(option.type),
    defaultOf(option),
    cell(option.description),
  ]);
  const table = [
    ["Option", "Type", "Default", "What it does"],
    ["---", "---", "---", "---"],
    ...rows,
  ];
  return table.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function defaultOf({ default: value, group, path }: ConfigOption): string {
  if (group && path[0] === "timeouts") return "";
  return value === undefined ? "" : `\`${cell(JSON.stringify(value))}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

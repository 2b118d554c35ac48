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

function defaultOf({ default: value, group }: ConfigOption): string {
  const inItsOptions = group && Object.keys(Object(value)).length > 0;
  return value === undefined || inItsOptions ? "" : `\`${cell(JSON.stringify(value))}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

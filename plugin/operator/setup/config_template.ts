/**
 * The `config.json` that `install` writes: every option with what it does and its default, commented
 * out, so that a default which changes in a later version changes with it.
 *
 * @module
 */
import { type ConfigOption, configOptions } from "./config_reference.ts";
import { wrap } from "../cli/text.ts";

/** Where the file finds its schema: beside itself. */
export const SCHEMA_FILE = "config.schema.json";

const WIDTH = 100;

/** The whole text. */
export function configTemplate(): string {
  const lines = [
    "// Configuration of the Plexum provider plugin for OpenAI Codex. Comments and trailing commas are",
    "// fine. A change takes effect at the next turn; `config check` says whether it is right.",
    "{",
    `  "$schema": "./${SCHEMA_FILE}",`,
  ];
  const options = configOptions();
  for (const option of options.filter(({ path }) => path.length === 1)) {
    lines.push("", ...comment(option, "  "));
    const [key] = option.path;
    const inner = options.filter(({ path }) => path[0] === key && path.length === 2);
    if (inner.length > 0) {
      lines.push(`  // "${key}": {`);
      for (const each of inner) lines.push(...comment(each, "  //   "), `  //   ${entry(each)}`);
      lines.push("  // },");
    } else if (option.group) {
      lines.push(`  // "${key}": { "<id>": { "sandbox": "read-only" } },`);
    } else lines.push(`  // ${entry(option)}`);
  }
  return [...lines, "}", ""].join("\n");
}

function comment({ description }: ConfigOption, indent: string): string[] {
  return description === ""
    ? []
    : [`${indent}// ${wrap(description, WIDTH - indent.length - 3, `${indent}// `)}`];
}

function entry({ path, default: value }: ConfigOption): string {
  return `${JSON.stringify(path.at(-1))}: ${JSON.stringify(value)},`;
}

/**
 * `config check|show|schema`: what the plugin makes of `config.json`.
 *
 * @module
 */
import { loadConfig } from "../../config/config.ts";
import type { Arguments } from "../cli/arguments.ts";
import { configJsonSchema } from "./config_reference.ts";
import { type Effective, effectiveConfig } from "./effective_config.ts";
import { EXIT } from "../cli/command.ts";
import { profileOf } from "../cli/options.ts";
import { readIfThere } from "../../../base/files.ts";
import { columns, complain, paintFor, print, printJson } from "../cli/terminal.ts";
import { printable } from "../cli/printable.ts";
import { padTo, wrap } from "../cli/text.ts";
import { many } from "../cli/format.ts";

/** `config check`: the same verdict, in the same words, as the handshake's. */
export function checkConfig(args: Arguments): number {
  const { config: path } = profileOf(args);
  const { raw, warnings } = loadConfig(path);
  for (const warning of warnings) complain(`warning: ${printable(warning)}`);
  const set = Object.keys(raw).filter((key) => key !== "$schema").length;
  print(
    readIfThere(path) === undefined
      ? `${path} does not exist: every option has its default`
      : `${path} is fine: ${many(set, "option")} set`,
  );
  return args.has("strict") && warnings.length > 0 ? EXIT.failed : EXIT.ok;
}

/** `config show`: every option's value and where it comes from. */
export function showConfig(args: Arguments): number {
  const { config: path } = profileOf(args);
  const { config, raw, warnings } = loadConfig(path);
  const whom = { model: args.text("model"), agent: args.text("agent") };
  const values = effectiveConfig(config, raw, whom);
  if (args.has("json")) {
    const byKey = values.map(({ key, value, source }) => [key, { value, source }]);
    printJson({ path, ...whom, values: Object.fromEntries(byKey) }, 2);
    return EXIT.ok;
  }
  for (const warning of warnings) complain(`warning: ${printable(warning)}`);
  print(table(values, columns()));
  return EXIT.ok;
}

/** `config schema`: JSON Schema, for editors. */
export function printSchema(): number {
  printJson(configJsonSchema(), 2);
  return EXIT.ok;
}

function table(values: readonly Effective[], width: number): string {
  const paint = paintFor(Deno.stdout);
  const left = Math.max(...values.map(({ key }) => key.length));
  return values.map(({ key, value, source }) => {
    const text = printable(JSON.stringify(value));
    const from = source === "default" ? paint("dim", source) : paint("green", source);
    if (width < 60) return `${key} (${from})\n  ${wrap(text, width - 2, "  ")}`;
    const indent = " ".repeat(left + 11);
    const padded = from + " ".repeat(9 - source.length);
    return `${padTo(key, left)}  ${padded}${wrap(text, width - indent.length, indent)}`;
  }).join("\n");
}

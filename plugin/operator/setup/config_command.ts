/**
 * `config check|show|schema`: what the plugin makes of `config.json`, and what counts for a turn.
 *
 * @module
 */
import { readIfThere } from "../../../base/files.ts";
import { isObject } from "../../../base/json_object.ts";
import { loadConfig } from "../../config/config.ts";
import type { Config, Override } from "../../config/config_schema.ts";
import { redact } from "../../log.ts";
import { type Arguments, profileOf } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { columns, complain, many, paintFor, print, printable, printJson } from "../cli/terminal.ts";
import { padTo, wrap } from "../cli/text.ts";
import { configJsonSchema, configOptions } from "./config_reference.ts";

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

/*
 * Every option's value and where it comes from. Pure.
 */

/** Where a value comes from; later ones win. */
export type Source = "default" | "file" | "model" | "agent";

/** One option with its value. */
export interface Effective {
  /** E.g. `timeouts.start_ms`. */
  key: string;
  value: unknown;
  source: Source;
}

/** For whom. */
export interface ForWhom {
  model?: string | undefined;
  agent?: string | undefined;
}

/**
 * Every option but the overrides themselves, which are worked in. `raw` is what the file says, as
 * JSON. Values of environment variables are not shown: many are secrets.
 */
export function effectiveConfig(config: Config, raw: unknown, whom: ForWhom): Effective[] {
  const layers: [Source, Override | undefined][] = [
    ["model", whom.model === undefined ? undefined : config.models[whom.model]],
    ["agent", whom.agent === undefined ? undefined : config.agents[whom.agent]],
  ];
  return configOptions().filter(({ path, group }) => !group && !path.includes("<id>"))
    .map(({ path }) => {
      const own: Effective = {
        key: path.join("."),
        value: lookUp(config, path),
        source: lookUp(raw, path) === undefined ? "default" : "file",
      };
      const found = layers.reduce((below, [source, layer]) => over(below, source, layer), own);
      return { ...found, value: shown(found.key, found.value) };
    });
}

function over(below: Effective, source: Source, layer: Override | undefined): Effective {
  const { key, value } = below;
  if (layer === undefined) return below;
  if (key === "extra_args") {
    if (layer.args === undefined || !Array.isArray(value)) return below;
    return { key, value: [...value, ...layer.args], source };
  }
  const above = lookUp(layer, key.split("."));
  if (key === "env" && isObject(above) && isObject(value)) {
    return { key, value: { ...value, ...above }, source };
  }
  return above === undefined ? below : { key, value: above, source };
}

function shown(key: string, value: unknown): unknown {
  if (key !== "env" || typeof value !== "object" || value === null) return redact(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === "CODEX_HOME" ? one : "[not shown]"]),
  );
}

function lookUp(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined,
    value,
  );
}

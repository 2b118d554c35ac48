/**
 * Every option of `config.json` as data, read off its schema: for the docs' table, the comments of a
 * fresh file, `config show` and editors.
 *
 * @module
 */
import * as z from "zod/mini";
import { ConfigSchema } from "../../config/config_schema.ts";
import { PLUGIN_NAME } from "../../self.ts";
import { wrap } from "../cli/text.ts";

/** As much of JSON Schema as zod makes of our configuration. */
export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  propertyNames?: JsonSchema;
  minimum?: number;
  maximum?: number;
  [key: string]: unknown;
}

/** One option. */
export interface ConfigOption {
  /** The way to it; `<id>` stands for a key of one's own: `["models", "<id>", "sandbox"]`. */
  path: string[];
  /** For people: `whole number, at least 0`, `"read-only" or "workspace-write"`. */
  type: string;
  /** What counts when it is left out; `undefined` when there is nothing then. */
  default: unknown;
  description: string;
  /** It has options below it and no value of its own. */
  group: boolean;
}

/** The JSON Schema of `config.json`, for editors. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(ConfigSchema, { io: "input" }) as JsonSchema;
  const { $schema, ...rest } = withoutNoise(schema);
  return { $schema, title: `config.json of ${PLUGIN_NAME}`, allowTrailingCommas: true, ...rest };
}

/** Every option in the order of the schema, groups before what is in them. */
export function configOptions(schema: JsonSchema = configJsonSchema()): ConfigOption[] {
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== "$schema")
    .flatMap(([key, property]) => optionsAt([key], property));
}

function optionsAt(path: string[], schema: JsonSchema): ConfigOption[] {
  const inner = schema.properties ?? {};
  const byId = schema.additionalProperties;
  const below = typeof byId === "object" && byId.properties !== undefined
    ? Object.entries(byId.properties).flatMap(([key, each]) =>
      optionsAt([...path, "<id>", key], each)
    )
    : Object.entries(inner).flatMap(([key, each]) => optionsAt([...path, key], each));
  const group = below.length > 0;
  const option: ConfigOption = {
    path,
    type: typeName(schema),
    default: schema.default,
    description: schema.description ?? "",
    group,
  };
  // Overrides of a group are told once, at the group.
  return path.includes("<id>") ? [option] : [option, ...below];
}

function typeName(schema: JsonSchema): string {
  if (schema.enum !== undefined) {
    const values = schema.enum.map((value) => JSON.stringify(value));
    return values.length < 2
      ? values.join("")
      : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  }
  switch (schema.type) {
    case "integer":
      return `whole number, at least ${schema.minimum ?? 0}`;
    case "array":
      return `list of ${schema.items?.type ?? "value"}s`;
    case "object": {
      const values = schema.additionalProperties;
      return typeof values === "object" && values.type !== undefined && !("properties" in values)
        ? `object of ${values.type}s`
        : "object";
    }
    default:
      return schema.type ?? "anything";
  }
}

/** Limits that only say what JavaScript's numbers are, and rules that every object key follows. */
function withoutNoise(schema: JsonSchema): JsonSchema {
  const { propertyNames: _, maximum, ...rest } = schema;
  const clean: JsonSchema = rest;
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) clean.maximum = maximum;
  if (clean.properties !== undefined) {
    clean.properties = Object.fromEntries(
      Object.entries(clean.properties).map(([key, each]) => [key, withoutNoise(each)]),
    );
  }
  if (typeof clean.additionalProperties === "object") {
    clean.additionalProperties = withoutNoise(clean.additionalProperties);
  }
  if (clean.items !== undefined) clean.items = withoutNoise(clean.items);
  return clean;
}

/*
 * The `config.json` that `install` writes: every option with what it does and its default, commented
 * out, so that a default which changes in a later version changes with it.
 */

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

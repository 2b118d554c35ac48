/**
 * `config.json`: JSONC on disk → {@link Config} with every value filled in, or an error that names
 * the file, the place and what to write instead. A missing file is the default configuration. While the
 * plugin runs, a changed file takes effect at the next turn, and a broken one keeps the last good one.
 *
 * @module
 */
import { parse as parseJsonc } from "@std/jsonc";
import * as z from "zod/mini";
import { errorMessage } from "../../base/error_message.ts";
import { stampOf } from "../../base/files.ts";
import { redactText } from "../log.ts";
import { ConfigError, describeShapeError, nearest } from "../shape_error.ts";
import { type Config, ConfigSchema } from "./config_schema.ts";

/** A usable configuration and what its author should know about it. */
export interface LoadedConfig {
  config: Config;
  /** What the file itself says. */
  raw: Record<string, unknown>;
  /** E.g. a key nobody knows, with the nearest one that exists. */
  warnings: string[];
}

/**
 * Reads and checks the file at `path`.
 * @throws {ConfigError} `read <path>: …`, `parse <path>: …` (with line and column) or
 * `config <path>: <key path>: expected …, found …`.
 */
export function loadConfig(path: string): LoadedConfig {
  return parseConfig(readConfig(path) ?? "", path);
}

/** `undefined` where there is no such file. */
function readConfig(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UnreadableConfig(`read ${path}: ${errorMessage(error)}`);
  }
}

/** The same for a text that has been read; `path` is only named in messages. */
export function parseConfig(text: string, path: string): LoadedConfig {
  let value: unknown;
  try {
    // Some editors begin a file with a byte order mark.
    value = text.trim() === "" ? {} : parseJsonc(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    // It quotes the place, and keys of accounts may stand there.
    throw new ConfigError(`parse ${path}: ${redactText(errorMessage(error))}`);
  }
  return checkConfig(value, path);
}

function checkConfig(raw: unknown, path: string): LoadedConfig {
  const value = withoutBlanks(raw);
  // Once per change of the file: compiling a fast parser costs more than it saves.
  const parsed = z.safeParse(ConfigSchema, value, { jitless: true });
  if (!parsed.success) {
    throw new ConfigError(`config ${path}: ${describeShapeError(parsed.error.issues, value)}`);
  }
  const warnings = unknownKeys(ConfigSchema, value)
    .map(({ key, meant }) =>
      `config ${path}: unknown key ${JSON.stringify(key)}` +
      (meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`)
    );
  return { config: parsed.data, raw: raw as Record<string, unknown>, warnings };
}

/** `null`, and a `binary` without a name, leave an option at its default, as they always did. */
function withoutBlanks(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const blank = (key: string, inner: unknown) => inner === null || key === "binary" && inner === "";
  return Object.fromEntries(Object.entries(value).filter(([key, inner]) => !blank(key, inner)));
}

/** Keys that no schema names, at any depth where the schema is an object. */
function unknownKeys(
  schema: unknown,
  value: unknown,
  prefix = "",
): { key: string; meant: string | undefined }[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const node = unwrapped(schema);
  if (node instanceof z.ZodMiniRecord) {
    return Object.entries(value).flatMap(([key, inner]) =>
      unknownKeys(node.def.valueType, inner, `${prefix}${key}.`)
    );
  }
  if (!(node instanceof z.ZodMiniObject)) return [];
  const shape: Record<string, unknown> = node.shape;
  return Object.entries(value).flatMap(([key, inner]) => {
    if (Object.hasOwn(shape, key)) return unknownKeys(shape[key], inner, `${prefix}${key}.`);
    const meant = nearest(key, Object.keys(shape));
    return [{ key: prefix + key, meant: meant === undefined ? undefined : prefix + meant }];
  });
}

function unwrapped(schema: unknown): unknown {
  let node = schema;
  while (node instanceof z.ZodMiniDefault || node instanceof z.ZodMiniOptional) {
    node = node.def.innerType;
  }
  return node;
}

/** It may be readable soon, without a change that a look from outside shows. */
class UnreadableConfig extends ConfigError {}

/** The configuration file of a running plugin. */
export class ConfigFile {
  readonly path: string;
  /** Told each configuration that is taken. */
  onLoad: (config: Config) => void = () => {};
  readonly #warn: (message: string) => void;
  #config: Config | undefined;
  #stamp: string | undefined;
  /** Why it could not be read the last time. */
  #unreadable: string | undefined;

  constructor(path: string, warn: (message: string) => void) {
    this.path = path;
    this.#warn = warn;
  }

  /**
   * Reads the file now, whatever was read before.
   * @throws {ConfigError} and keeps the last good configuration.
   */
  load(): Config {
    const stamp = stampOf(this.path);
    return this.#take(stamp, loadConfig(this.path));
  }

  /** The configuration for the next turn; looks at the file's time and size, not into it. */
  current(): Config {
    if (this.#config === undefined) return this.load();
    const stamp = stampOf(this.path);
    if (stamp === this.#stamp) return this.#config;
    try {
      const text = readConfig(this.path);
      // Some editors empty a file before they write it.
      if (text?.trim() === "") throw new UnreadableConfig(`read ${this.path}: it is empty`);
      return this.#take(stamp, parseConfig(text ?? "", this.path));
    } catch (error) {
      const message = errorMessage(error);
      // Said once: per change, or as long as it cannot be read.
      const known = error instanceof UnreadableConfig && message === this.#unreadable;
      if (!known) this.#warn(`${message}; the last good one stays in use`);
      if (error instanceof UnreadableConfig) this.#unreadable = message;
      else this.#stamp = stamp;
      return this.#config;
    }
  }

  #take(stamp: string, { config, warnings }: LoadedConfig): Config {
    this.#config = config;
    this.#stamp = stamp;
    this.#unreadable = undefined;
    warnings.forEach(this.#warn);
    this.onLoad(config);
    return config;
  }
}

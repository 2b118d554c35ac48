/**
 * Values as TOML 1.0, on one line: strings, numbers, booleans, lists and inline tables.
 *
 * JSON's strings are nearly TOML's. The differences: DEL must be escaped, and a lone surrogate,
 * which JSON escapes, is no character in TOML and is replaced.
 *
 * @module
 */

/** What can be written. Numbers are integers. */
export type TomlValue = string | number | boolean | TomlValue[] | { [key: string]: TomlValue };

function text(value: string): string {
  return JSON.stringify(value.toWellFormed()).replaceAll("\x7f", "\\u007f");
}

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : text(name);
}

function value(from: TomlValue): string {
  if (typeof from === "string") return text(from);
  if (typeof from === "number") {
    if (Number.isSafeInteger(from)) return String(from);
    throw new RangeError(`Cannot write ${from} as a TOML integer`);
  }
  if (typeof from === "boolean") return String(from);
  if (Array.isArray(from)) return `[${from.map(value).join(",")}]`;
  const entries = Object.entries(from).map(([name, inner]) => `${key(name)}=${value(inner)}`);
  return `{${entries.join(",")}}`;
}

/** The encoder: `toml.value` for a value, `toml.key` for one part of a key. */
export const toml: { value: (from: TomlValue) => string; key: (name: string) => string } = {
  value,
  key,
};

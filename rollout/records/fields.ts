/**
 * Fields of a parsed line: nothing about them is certain.
 *
 * @module
 */

import { isObject } from "../../base/json_object.ts";

/** A JSON object as it was parsed. */
export type Fields = Record<string, unknown>;

/** The value, where it is a string. */
export function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** An object with the key, or without it where there is no value. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V };
}

/** The texts of content parts, a list of `{text}`. */
export function texts(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) => isObject(part) ? string(part.text) ?? [] : []);
}

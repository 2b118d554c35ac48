/**
 * JSON of unknown origin: read without throwing, told in a few words, and how deep it goes.
 *
 * @module
 */

const decoder = new TextDecoder();

/** Whether a value is a JSON object: neither null nor a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object in a line of JSON, or `undefined` where the line holds anything else. */
export function decodeObject(line: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(line));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What was found instead, in a few words, whatever it is and however much of it there is. */
export function found(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "object") return "object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `${typeof value} ${text.length > 60 ? text.slice(0, 57) + "…" : text}`;
}

/**
 * Whether lists and objects in `value` are nested more than `limit` levels deep. JSON.parse reads any depth,
 * but what reads the value after it, and JSON.stringify, call themselves for each level and run out of stack.
 */
export function isDeeper(value: unknown, limit: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === limit) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/*
 * Fields of a parsed line: nothing about them is certain.
 */

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

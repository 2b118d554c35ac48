/**
 * JSON objects from bytes of unknown origin: read without throwing.
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

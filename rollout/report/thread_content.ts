/**
 * What stands in a record, as text and numbers.
 *
 * @module
 */

/** Longest text kept of anything, in characters. */
const CLIP = 2000;
/** The rule of thumb for English text and code. */
const BYTES_PER_TOKEN = 4;
/** An image costs about this much, whatever its size in bytes. */
const IMAGE_TOKENS = 1000;

/** What text and images of a call take in a request, by rule of thumb. */
export function tokensOf(bytes: number, images: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN) + images * IMAGE_TOKENS;
}

/** The text of an output, and how many images are in it. */
export function contentOf(output: string | unknown[]): { text: string; images: number } {
  if (typeof output === "string") return { text: output, images: 0 };
  const parts = output.map(objectOf);
  const images = parts.filter(({ type }) => type === "input_image").length;
  const texts = parts.map((part) => part.type === "input_image" ? "[image]" : textOf([part]));
  return { text: texts.join("\n"), images };
}

/** The texts of content parts, one per line. */
export function textOf(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content.map((part) => {
    const { text } = objectOf(part);
    return typeof text === "string" ? text : "";
  }).join("\n");
}

/** The payload of a line, or nothing. */
export function payloadOf(line: string): Record<string, unknown> {
  try {
    return objectOf(objectOf(JSON.parse(line)).payload);
  } catch {
    return {};
  }
}

/** The value as an object; an empty one where it is none. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

/** The beginning of a text. */
export function clip(text: string): string {
  return text.length <= CLIP ? text : `${text.slice(0, CLIP).toWellFormed()}…`;
}

/** In UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * JSON that is passed on as it was written, byte for byte.
 *
 * Parsing and writing again changes what is said: numbers above 2^53, exponents, `-0` and `1.0`, keys
 * that stand twice, escapes. Who only carries a value keeps its text, looks into it with `value`, and
 * lets {@link stringify} put it where it belongs in a larger one.
 *
 * @module
 */
import { memberSpan, readArray, rootOf, type Span, spanOf, textOf } from "./json_span.ts";

/** The parts of ES2025's JSON that the type library does not know yet. */
const ES2025 = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
};

/** An empty place in written JSON. `JSON.stringify` itself never escapes a slash. */
const HOLE_TEXT = '"\\/"';
const HOLE = ES2025.rawJSON(HOLE_TEXT);

/** What belongs into the holes of the text that is being written; nothing is, most of the time. */
let holes: string[] | undefined;

const encoder = new TextEncoder();

/** A JSON value as it was written. */
export class RawJson {
  readonly text: string;
  #bytes: Uint8Array | undefined;

  /** @param text One JSON value on one line, known to be well-formed. */
  constructor(text: string) {
    this.text = text;
  }

  /** A value of our own. */
  static of(value: unknown): RawJson {
    return new RawJson(JSON.stringify(value));
  }

  /** What it means, as `JSON.parse` has it. */
  get value(): unknown {
    return JSON.parse(this.text);
  }

  /** The member of an object; the last one where a key stands twice, as `value` has it. */
  member(key: string): RawJson | undefined {
    const bytes = this.#encoded();
    return this.#part(memberSpan(bytes, rootOf(bytes), key));
  }

  /** The elements of a list; none of anything else. */
  elements(): RawJson[] {
    const bytes = this.#encoded();
    const spans: Span[] = [];
    readArray(bytes, rootOf(bytes), (start) => {
      const span = spanOf(bytes, start);
      spans.push(span);
      return span.end;
    });
    return spans.map((span) => new RawJson(textOf(bytes, span)));
  }

  /** For `JSON.stringify`, which cannot take text; {@link stringify} can. */
  toJSON(): unknown {
    if (holes === undefined) return this.value;
    holes.push(this.text);
    return HOLE;
  }

  #part(span: Span | undefined): RawJson | undefined {
    return span && new RawJson(textOf(this.#encoded(), span));
  }

  #encoded(): Uint8Array {
    return this.#bytes ??= encoder.encode(this.text);
  }
}

/** `JSON.stringify` that writes every {@link RawJson} in `value` as it is. */
export function stringify(value: unknown): string {
  holes = [];
  try {
    const pieces = JSON.stringify(value).split(HOLE_TEXT);
    let text = pieces[0] ?? "";
    for (const [at, raw] of holes.entries()) text += raw + (pieces[at + 1] ?? "");
    return text;
  } finally {
    holes = undefined;
  }
}

/**
 * The same text for all texts that say the same: without spaces, keys in order, numbers digit by
 * digit. Throws where `text` is no JSON.
 */
export function canonicalJson(text: string): string {
  const ordered = ES2025.parse(text, (_key, value, { source }) => {
    if (typeof value === "number" && source !== undefined) return ES2025.rawJSON(source);
    // What `rawJSON` gives has no prototype.
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
  });
  return JSON.stringify(ordered);
}

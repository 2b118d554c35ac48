/**
 * JSON that is passed on or changed as it was written, byte for byte.
 *
 * Parsing and writing again changes what is said: numbers above 2^53, exponents, `-0` and `1.0`, keys
 * that stand twice, escapes. Who only carries a value keeps its text, looks into it with `value`, and
 * lets {@link stringify} put it where it belongs in a larger one. Who changes one asks where it stands.
 *
 * @module
 */
import { searchString } from "./wide_memory.ts";

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
 * JSON with U+FFFD for each half of a surrogate pair: JSON can write one, but readers whose strings are
 * UTF-8, codex's among them, drop the whole message for it.
 */
export function wellFormedJson(text: string): string {
  let good = "";
  let from = 0;
  for (let at = text.indexOf("\\u"); at >= 0; at = text.indexOf("\\u", at + 2)) {
    if (isSecond(text, at)) continue;
    const half = halfAt(text, at);
    if (half === undefined) continue;
    if (half === "first" && text.startsWith("\\u", at + 6) && halfAt(text, at + 6) === "second") {
      at += 6;
      continue;
    }
    good += `${text.slice(from, at)}\\ufffd`;
    from = at + 6;
  }
  return from === 0 ? text : good + text.slice(from);
}

/** Whether the backslash at `at` follows one that escapes it. */
function isSecond(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === "\\") before--;
  return (at - before) % 2 === 1;
}

/** Which half of a surrogate pair the escape at `at` is. */
function halfAt(text: string, at: number): "first" | "second" | undefined {
  const unit = Number.parseInt(text.slice(at + 2, at + 6), 16);
  if (unit >= 0xd800 && unit <= 0xdbff) return "first";
  return unit >= 0xdc00 && unit <= 0xdfff ? "second" : undefined;
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

/*
 * Where a value stands inside a line of JSON, in bytes.
 *
 * A consume replaces one value and must leave every other byte of the line as it was: number
 * precision, key order, escapes, unknown fields. So the line is never serialised again. These
 * functions walk over the bytes, each once, and say where a value begins and ends. They do not check that
 * the line is JSON; whoever changes something lets `JSON.parse` do that first.
 *
 * A key that stands twice in an object means its last value, as `JSON.parse` has it.
 */

/** A value's bytes: `start` inclusive, `end` exclusive, no whitespace around. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Told of each member of an object: the span of its key, quotes included, and where its value begins.
 * Returns where the value ends if it has read it, else nothing, and it is skipped.
 */
export type MemberVisitor = (key: Span, value: number) => number | undefined | void;

/** Told where each element of an array begins; returns as a `MemberVisitor` does. */
export type ElementVisitor = (value: number) => number | undefined | void;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Keys, most values, and text full of escapes are found by looking at each byte. */
const SHORT_STRING = 64;

const decoder = new TextDecoder();

/** Where the outermost value of a line begins; the line's length for a blank one. */
export function rootOf(line: Uint8Array): number {
  return skipSpace(line, 0);
}

/** Reads the object at `start` and returns where it ends; another value is skipped. */
export function readObject(line: Uint8Array, start: number, visit: MemberVisitor): number {
  if (line[start] !== OPEN_OBJECT) return endOfValue(line, start);
  let at = skipSpace(line, start + 1);
  while (line[at] === QUOTE) {
    const key = { start: at, end: endOfString(line, at) };
    at = skipSpace(line, key.end);
    if (line[at] !== COLON) return beyond(line);
    const value = skipSpace(line, at + 1);
    at = skipSpace(line, visit(key, value) ?? endOfValue(line, value));
    if (line[at] !== COMMA) break;
    at = skipSpace(line, at + 1);
  }
  return line[at] === CLOSE_OBJECT ? at + 1 : beyond(line);
}

/** Reads the array at `start` and returns where it ends; another value is skipped. */
export function readArray(line: Uint8Array, start: number, visit: ElementVisitor): number {
  if (line[start] !== OPEN_ARRAY) return endOfValue(line, start);
  let at = skipSpace(line, start + 1);
  while (at < line.length && line[at] !== CLOSE_ARRAY) {
    at = skipSpace(line, visit(at) ?? endOfValue(line, at));
    if (line[at] !== COMMA) break;
    at = skipSpace(line, at + 1);
  }
  return line[at] === CLOSE_ARRAY ? at + 1 : beyond(line);
}

/** Whether a key, as it is written, is `name` (which is ASCII and needs no escape). */
export function spells(line: Uint8Array, key: Span, name: string): boolean {
  const length = key.end - key.start - 2;
  for (let i = 0; i < length; i++) {
    const byte = line[key.start + 1 + i];
    // Only an escape can make two spellings of one key.
    if (byte === BACKSLASH) return stringAt(line, key) === name;
    if (byte !== name.charCodeAt(i)) return false;
  }
  return length === name.length;
}

/** The value of `key` in the object at `start`; `undefined` where it is absent or no object. */
export function memberSpan(line: Uint8Array, start: number, key: string): Span | undefined {
  let found: Span | undefined;
  readObject(line, start, (name, value) => {
    if (!spells(line, name, key)) return;
    found = spanOf(line, value);
    return found.end;
  });
  return found;
}

/** The value that begins at `start`; it ends beyond the line where it is cut. */
export function spanOf(line: Uint8Array, start: number): Span {
  return { start, end: endOfValue(line, start) };
}

/** The text of a value exactly as it is written in the line. */
export function textOf(line: Uint8Array, span: Span): string {
  return decoder.decode(line.subarray(span.start, span.end));
}

/** The string that a value is; `undefined` where it is none. */
export function stringAt(line: Uint8Array, span: Span | undefined): string | undefined {
  if (span === undefined || line[span.start] !== QUOTE) return undefined;
  try {
    const value: unknown = JSON.parse(textOf(line, span));
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An end that no value in the line can have: what began there is cut. */
function beyond(line: Uint8Array): number {
  return line.length + 1;
}

function skipSpace(line: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(line[at])) at++;
  return at;
}

/** Where the string that opens at `open` ends: behind its closing quote, or beyond the line where it is cut. */
export function endOfString(line: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < line.length) {
    const near = Math.min(at + SHORT_STRING, line.length);
    for (; at < near; at++) {
      const byte = line[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at++;
    }
    const found = searchString(line, at);
    if (found !== undefined) return found.quote < 0 ? beyond(line) : found.quote + 1;
    // The engine's own search is many times as fast as any loop, and slow to begin.
    const from = at;
    at = line.indexOf(QUOTE, from);
    if (at < 0) break;
    if (!isEscaped(line, at, from)) return at + 1;
    at++;
  }
  return beyond(line);
}

/** Whether an odd number of backslashes stands before `at`, none of them before `from`. */
function isEscaped(line: Uint8Array, at: number, from: number): boolean {
  let first = at;
  while (first > from && line[first - 1] === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

function endOfValue(line: Uint8Array, start: number): number {
  const first = line[start];
  if (first === QUOTE) return endOfString(line, start);
  let at = start;
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
    while (at < line.length && !endsScalar(line[at])) at++;
    return at;
  }
  let depth = 0;
  while (at < line.length) {
    const byte = line[at];
    if (byte === QUOTE) {
      at = endOfString(line, at);
      continue;
    }
    at++;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) return at;
  }
  return beyond(line);
}

function endsScalar(byte: number | undefined): boolean {
  return isSpace(byte) || byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;
}

function isSpace(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x20;
}

/**
 * Where a value stands inside a line of JSON, in bytes.
 *
 * A consume replaces one value and must leave every other byte of the line as it was: number
 * precision, key order, escapes, unknown fields. So the line is never serialised again. These
 * functions walk over the bytes and say where a value begins and ends; the caller has made sure
 * that the line is valid JSON (`JSON.parse` accepts it).
 *
 * A key that stands twice in an object means its last value, as `JSON.parse` has it.
 *
 * @module
 */

/** A value's bytes: `start` inclusive, `end` exclusive, no whitespace around. */
export interface Span {
  start: number;
  end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const decoder = new TextDecoder();

/**
 * The span of the outermost value of a line, or `undefined` for a blank one. It ends beyond the line where
 * the value is cut.
 */
export function rootSpan(line: Uint8Array): Span | undefined {
  const start = skipSpace(line, 0);
  return start < line.length ? { start, end: endOfValue(line, start) } : undefined;
}

/** The value of `key` in the object at `object`; `undefined` where it is absent or no object. */
export function memberSpan(line: Uint8Array, object: Span, key: string): Span | undefined {
  if (line[object.start] !== OPEN_OBJECT) return undefined;
  let found: Span | undefined;
  let at = skipSpace(line, object.start + 1);
  while (at < object.end && line[at] === QUOTE) {
    const keyEnd = endOfString(line, at);
    const matches = keyIs(line, { start: at, end: keyEnd }, key);
    at = skipSpace(line, keyEnd);
    if (line[at] !== COLON) return undefined;
    const start = skipSpace(line, at + 1);
    const end = endOfValue(line, start);
    if (matches) found = { start, end };
    at = skipSpace(line, end);
    if (line[at] !== COMMA) break;
    at = skipSpace(line, at + 1);
  }
  return found;
}

/** The elements of the array at `array`; none where it is no array. */
export function* elementSpans(line: Uint8Array, array: Span): Generator<Span> {
  if (line[array.start] !== OPEN_ARRAY) return;
  let at = skipSpace(line, array.start + 1);
  while (at < array.end && line[at] !== CLOSE_ARRAY) {
    const end = endOfValue(line, at);
    yield { start: at, end };
    at = skipSpace(line, end);
    if (line[at] !== COMMA) return;
    at = skipSpace(line, at + 1);
  }
}

/** The value at a path of keys and indexes from the outermost value. */
export function spanAt(line: Uint8Array, path: readonly (string | number)[]): Span | undefined {
  let span = rootSpan(line);
  for (const step of path) {
    if (span === undefined) return undefined;
    span = typeof step === "string"
      ? memberSpan(line, span, step)
      : [...elementSpans(line, span)][step];
  }
  return span;
}

/** The text of a value exactly as it is written in the line. */
export function textOf(line: Uint8Array, span: Span): string {
  return decoder.decode(line.subarray(span.start, span.end));
}

function skipSpace(line: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(line[at])) at++;
  return at;
}

/** The offset after the closing quote of the string that opens at `open`; beyond the line if cut. */
function endOfString(line: Uint8Array, open: number): number {
  let quote = line.indexOf(QUOTE, open + 1);
  while (quote >= 0) {
    let before = quote - 1;
    while (line[before] === BACKSLASH) before--;
    // An even run of backslashes escapes itself, not the quote.
    if ((quote - before) % 2 === 1) return quote + 1;
    quote = line.indexOf(QUOTE, quote + 1);
  }
  return line.length + 1;
}

/** The offset after the value that begins at `start`; beyond the line where the value is cut. */
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
  return line.length + 1;
}

function endsScalar(byte: number | undefined): boolean {
  return isSpace(byte) || byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;
}

function isSpace(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x20;
}

function keyIs(line: Uint8Array, span: Span, key: string): boolean {
  const written = textOf(line, span);
  if (written === `"${key}"`) return true;
  // Only an escape can make two spellings of one key.
  return written.includes("\\") && JSON.parse(written) === key;
}

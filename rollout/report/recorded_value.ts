/**
 * Values in a line of a rollout, measured and read in part: a record of many megabytes is neither decoded
 * nor copied to be shown to a person.
 *
 * @module
 */
import {
  endOfString,
  readArray,
  readObject,
  rootOf,
  type Span,
  spanOf,
  spells,
  stringAt,
} from "../../base/raw_json.ts";
import { searchString, type StringFound } from "../../base/wide_memory.ts";

/** What an output holds: its text in UTF-8 bytes, and its images. */
export interface Content {
  bytes: number;
  images: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LETTER_U = 0x75;
/** After a backslash in a string. */
const ESCAPES = new Set(Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)));
const UNIT = /^u([0-9a-fA-F]{4})$/;
/** A shorter line is decoded as it is: that is native, and faster than a look at its strings. */
const SHORT_LINE = 4096;
/** A string that is hardly longer than what is kept is kept whole. */
const MARGIN = 16;

const NO_STRING = "A string that is none";

const decoder = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true });

/** The beginning of a text. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`;
}

/** Where the members of a record's payload are that have these names; `undefined` in a line that is cut. */
export function payloadOf<K extends string>(
  line: Uint8Array,
  names: readonly K[],
): { [N in K]?: Span } | undefined {
  const found: { [N in K]?: Span } = {};
  const end = readObject(line, rootOf(line), (key, value) => {
    if (!spells(line, key, "payload")) return;
    return readObject(line, value, (key, value) => {
      const name = names.find((name) => spells(line, key, name));
      if (name === undefined) return;
      const span = found[name] = spanOf(line, value);
      return span.end;
    });
  });
  return end > line.length ? undefined : found;
}

/**
 * What an output holds: a string, or parts of which some are text and some images.
 * @throws {SyntaxError} where a text of it is none.
 */
export function contentIn(line: Uint8Array, output: Span): Content {
  if (line[output.start] === QUOTE) return { bytes: textBytes(line, output), images: 0 };
  const content = { bytes: 0, images: 0 };
  readArray(line, output.start, (part) => {
    let type: Span | undefined;
    let text: Span | undefined;
    const end = readObject(line, part, (key, value) => {
      const span = spanOf(line, value);
      if (spells(line, key, "type")) type = span;
      else if (spells(line, key, "text")) text = span;
      return span.end;
    });
    if (stringAt(line, type) === "input_image") content.images++;
    else if (text !== undefined && line[text.start] === QUOTE) {
      content.bytes += textBytes(line, text);
    }
    return end;
  });
  return content;
}

/** Bytes that a JSON string has in UTF-8 once its escapes are undone. */
function textBytes(line: Uint8Array, { start, end }: Span): number {
  const { saved, isBroken } = stringAfter(line, start);
  if (isBroken) throw new SyntaxError(NO_STRING);
  return end - start - 2 - saved;
}

/**
 * What a line says, its strings cut to about `keep` bytes. What is cut off is checked and never decoded, the
 * rest is left to `JSON.parse`.
 * @throws {SyntaxError | TypeError} where the line is not JSON in UTF-8.
 */
export function parseShortened(line: Uint8Array, keep: number, utf8 = strict): unknown {
  if (line.length <= SHORT_LINE) return JSON.parse(utf8.decode(line));
  let text = "";
  let from = 0; // what is before is in `text`, or cut off
  for (let open = 0; open < line.length; open++) {
    if (line[open] !== QUOTE) continue;
    const last = endOfString(line, open) - 1;
    if (last - open > keep + MARGIN) {
      const { isWide, isBroken } = stringAfter(line, open);
      if (isBroken) throw new SyntaxError(NO_STRING);
      const end = headEnd(line, open, keep);
      text += utf8.decode(line.subarray(from, end));
      if (isWide) utf8.decode(line.subarray(end, last));
      from = last;
    }
    open = last;
  }
  return JSON.parse(text + utf8.decode(line.subarray(from)));
}

/** The string that opens at `open`. */
function stringAfter(line: Uint8Array, open: number): StringFound {
  return searchString(line, open + 1) ?? searchPlainly(line, open + 1);
}

/** As `searchString`, for any line. */
export function searchPlainly(line: Uint8Array, from: number): StringFound {
  const found = { quote: -1, saved: 0, isWide: false, isBroken: false };
  for (let at = from; at < line.length; at++) {
    const byte = line[at] ?? 0;
    if (byte === QUOTE) return { ...found, quote: at };
    if (byte >= 0x80) found.isWide = true;
    else if (byte < SPACE) found.isBroken = true;
    else if (byte === BACKSLASH) {
      const unit = UNIT.exec(ascii(line, at + 1, at + 6))?.[1];
      found.isBroken ||= unit === undefined && !ESCAPES.has(line[at + 1] ?? 0);
      found.saved += unit === undefined ? 1 : 6 - unitBytes(parseInt(unit, 16));
      at += unit === undefined ? 1 : 5;
    }
  }
  return { ...found, isBroken: true };
}

/** The halves of a pair make four bytes together; a lone one is replaced by three. */
function unitBytes(unit: number): number {
  return unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
}

function ascii(line: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...line.subarray(start, end));
}

/** An output, its strings cut to about `keep` bytes. @throws {SyntaxError} where it is no JSON. */
export function outputAt(line: Uint8Array, { start, end }: Span, keep: number): unknown {
  if (line[start] !== QUOTE) return parseShortened(line.subarray(start, end), keep, decoder);
  const isLong = end - start > keep + MARGIN;
  const text = line.subarray(start, isLong ? headEnd(line, start, keep) : end);
  return JSON.parse(decoder.decode(text) + (isLong ? '"' : ""));
}

/** Where the first `keep` bytes of a string end, or a little later: not inside of a character. */
function headEnd(line: Uint8Array, open: number, keep: number): number {
  let end = open + 1;
  while (end <= open + keep) {
    end += line[end] !== BACKSLASH ? 1 : line[end + 1] === LETTER_U ? 6 : 2;
  }
  while (((line[end] ?? 0) & 0xc0) === 0x80) end++;
  return end;
}

/** The last characters of a JSON string, escapes and all; enough to look for codex's own words in. */
export function tailOf(line: Uint8Array, { end }: Span, length: number): string {
  return decoder.decode(line.subarray(Math.max(0, end - 1 - length), end - 1));
}

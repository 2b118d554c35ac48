/**
 * Values in a line of a rollout, measured and read in part: a record of many megabytes is neither decoded
 * nor copied to be shown to a person.
 *
 * @module
 */
import {
  readArray,
  readObject,
  rootOf,
  type Span,
  spanOf,
  spells,
  stringAt,
} from "../../base/json_span.ts";

/** What an output holds: its text in UTF-8 bytes, and its images. */
export interface Content {
  bytes: number;
  images: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** A shorter line is decoded as it is: that is native, and faster than a look at its bytes. */
const SHORT_LINE = 65_536;
/** A shorter value is parsed as it is. */
const SHORT = 4096;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

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

/** What an output holds: a string, or parts of which some are text and some images. */
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
  const text = line.subarray(start + 1, end - 1);
  let bytes = text.length;
  for (let at = text.indexOf(BACKSLASH); at >= 0; at = text.indexOf(BACKSLASH, at)) {
    if (text[at + 1] !== LETTER_U) {
      bytes--;
      at += 2;
      continue;
    }
    const unit = parseInt(String.fromCharCode(...text.subarray(at + 2, at + 6)), 16);
    // The halves of a pair make four bytes together; a lone one is replaced by three.
    const half = unit >= 0xd800 && unit < 0xe000;
    bytes -= 6 - (unit < 0x80 ? 1 : unit < 0x800 || half ? 2 : 3);
    at += 6;
  }
  return bytes;
}

/** A line without the ends of its long strings, as JSON again; `undefined` where it is cut or broken. */
export function lightened(line: Uint8Array): Uint8Array | undefined {
  if (line.length <= SHORT_LINE) return line;
  const root = rootOf(line);
  if (spanOf(line, root).end > line.length) return undefined;
  try {
    return encoder.encode(JSON.stringify(lightValue(line, root)));
  } catch {
    return undefined;
  }
}

/** The value at `start`; strings of more than a few thousand bytes lose their ends. */
export function lightValue(line: Uint8Array, start: number): unknown {
  const span = spanOf(line, start);
  if (span.end - span.start <= SHORT) {
    return JSON.parse(decoder.decode(line.subarray(span.start, span.end)));
  }
  if (line[start] === QUOTE) return headOf(line, span);
  if (line[start] === 0x5b) {
    const list: unknown[] = [];
    readArray(line, start, (element) => {
      list.push(lightValue(line, element));
      return spanOf(line, element).end;
    });
    return list;
  }
  const object: Record<string, unknown> = {};
  readObject(line, start, (key, value) => {
    const name = stringAt(line, key) ?? "";
    // Not by assignment: a key may be `__proto__`.
    Object.defineProperty(object, name, {
      value: lightValue(line, value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return spanOf(line, value).end;
  });
  return object;
}

function headOf(line: Uint8Array, { start }: Span): string {
  let end = start + 1;
  while (end < start + SHORT - 12) {
    end += line[end] !== BACKSLASH ? 1 : line[end + 1] === LETTER_U ? 6 : 2;
  }
  while (((line[end] ?? 0) & 0xc0) === 0x80) end++; // not in the middle of a character
  return JSON.parse(`"${decoder.decode(line.subarray(start + 1, end))}"`);
}

/** The last characters of a JSON string, escapes and all; enough to look for codex's own words in. */
export function tailOf(line: Uint8Array, { end }: Span, length: number): string {
  return decoder.decode(line.subarray(Math.max(0, end - 1 - length), end - 1));
}

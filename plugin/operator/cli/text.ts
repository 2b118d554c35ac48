/**
 * Text for a terminal, as values: cleaned, measured in columns, broken into lines, cut.
 *
 * @module
 */
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";

/**
 * What a terminal obeys (C0, C1, DEL) and what makes it show a text in another order than it is in
 * (direction marks, embeddings, overrides, isolates), or breaks a line where none is (U+2028, U+2029).
 */
const OBEYED =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]/g;

/**
 * The one function through which every text goes that is not ours, before a terminal sees it: what a
 * terminal would obey, or would show otherwise than it is, becomes `�`. Newlines and tabs stay.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(OBEYED, "\ufffd");
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, " ").trim());
}

/** JSON that is exactly the value and that a terminal shows as it stands. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    OBEYED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Columns that a text takes. */
export const widthOf: (text: string) => number = stringWidth;

/** Stands for a space at which no line may end; wrap-ansi breaks at plain spaces only. */
const GLUE = "\u00a0";

/**
 * Breaks a text at spaces to lines of at most `width` columns. Every line but the first begins with
 * `indent`, which is not counted: the first one stands behind something of that width. A number is not
 * parted from what it counts, and what stands in backticks is not broken.
 */
export function wrap(text: string, width: number, indent = ""): string {
  if (!Number.isFinite(width)) return text;
  const glued = text.replace(/`[^`\n]+`/g, (code) => code.replaceAll(" ", GLUE))
    .replace(/(?<=^| )([\d.,]*\d) (?=[^ ])/g, `$1${GLUE}`);
  return wrapAnsi(glued, Math.max(1, width), { hard: false }).replaceAll(GLUE, " ")
    .replaceAll("\n", `\n${indent}`);
}

const characters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Cuts to `width` columns, with an ellipsis where something is missing. */
export function clipTo(text: string, width: number): string {
  // Nothing so long fits, and a text from a tool may be megabytes.
  const head = Number.isFinite(width) ? text.slice(0, 16 * Math.max(1, width)) : text;
  if (head.length === text.length && widthOf(text) <= width) return text;
  let kept = "";
  let room = width - 1;
  for (const { segment } of characters.segment(head)) {
    room -= widthOf(segment);
    if (room < 0) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** Fills up with spaces to `width` columns. */
export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** A word for a POSIX shell that means exactly `text`. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Breaks prose; lines that begin with a space (commands, tables) stay as they are. */
export function wrapProse(text: string, width: number): string {
  return text.split("\n").map((line) => /^\s/.test(line) ? line : wrap(line, width)).join("\n");
}

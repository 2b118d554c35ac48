/**
 * Text for a terminal, as values: cleaned of what a terminal would obey, quoted for a shell.
 *
 * @module
 */

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

/** A word for a POSIX shell that means exactly `text`. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

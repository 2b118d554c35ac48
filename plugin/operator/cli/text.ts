/**
 * Text for a terminal, as values: measured in columns, broken into lines, cut.
 *
 * What it needs for that takes 20 ms to load, so nothing that every start loads imports it.
 *
 * @module
 */
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";

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

/** Breaks prose; lines that begin with a space (commands, tables) stay as they are. */
export function wrapProse(text: string, width: number): string {
  return text.split("\n").map((line) => /^\s/.test(line) ? line : wrap(line, width)).join("\n");
}

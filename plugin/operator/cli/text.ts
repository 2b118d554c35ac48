/**
 * Text for a terminal, as values: measured in columns, broken into lines, cut; and what is going on, on
 * its last line.
 *
 * What it needs for that takes 20 ms to load, so nothing that every start loads imports it.
 *
 * @module
 */
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { columns, oneLine, paintFor, writeError } from "./terminal.ts";

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

const TICK_MS = 200;
const FRAMES = ["·  ", "·· ", "···", " ··", "  ·", "   "];

/** The last line of a terminal says what is going on and for how long; elsewhere nothing is said. */
export class Progress implements Disposable {
  readonly #live = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #doing = "";
  #since = performance.now();
  #frame = 0;
  #shown = false;

  constructor() {
    if (this.#live) this.#timer = setInterval(() => this.draw(), TICK_MS);
  }

  /** Something else is going on now. */
  now(doing: string): void {
    this.#doing = doing;
    this.#since = performance.now();
  }

  /** Draws the line anew. */
  draw(): void {
    if (!this.#live || this.#doing === "") return;
    const seconds = Math.floor((performance.now() - this.#since) / 1000);
    const frame = FRAMES[this.#frame++ % FRAMES.length] ?? "";
    const text = clipTo(`${frame} ${oneLine(this.#doing)}, ${seconds} s`, columns(Deno.stderr) - 1);
    writeError(`\r\x1b[K${paintFor(Deno.stderr)("dim", text)}`);
    this.#shown = true;
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#shown) writeError("\r\x1b[K");
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.clear();
  }
}

/**
 * Writing for people: how wide, how coloured, and never what a terminal would obey.
 *
 * Colour goes to terminals only, and not where NO_COLOR is set or TERM is dumb. Widths are counted
 * in code points. Whatever came from a model, a tool or a file goes through {@link printable}.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Writes a line to stdout; a reader that has gone (`| head`) is no error. */
export function print(text: string): void {
  write(text + "\n");
}

/** Writes to stdout as it is. */
export function write(text: string): void {
  writeTo(Deno.stdout, text);
}

/** Writes a line to stderr. */
export function complain(text: string): void {
  writeTo(Deno.stderr, text + "\n");
}

/** Writes to stderr as it is. */
export function writeError(text: string): void {
  writeTo(Deno.stderr, text);
}

function writeTo(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Nobody reads any more: the pipe is closed, or the terminal was. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error instanceof Error && "code" in error && error.code === "EIO");
}

/** The styles in use, by what they say. */
const CODES: Readonly<Record<Style, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
};

/** What a text is shown as. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
/** Puts a text into a style, or leaves it as it is where there is no colour. */
export type Paint = (style: Style, text: string) => string;

/** The paint for a stream. */
export function paintFor(stream: { isTerminal(): boolean }): Paint {
  const plain = !stream.isTerminal() || (Deno.env.get("NO_COLOR") ?? "") !== "" ||
    Deno.env.get("TERM") === "dumb";
  return plain ? (_, text) => text : (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`;
}

/** Columns to write for: the terminal's, else `$COLUMNS`, else 80; at least 20. */
export function columns(): number {
  return Math.max(20, fromTerminal() ?? (Number(Deno.env.get("COLUMNS")) || 80));
}

function fromTerminal(): number | undefined {
  if (!Deno.stdout.isTerminal() && !Deno.stderr.isTerminal()) return undefined;
  try {
    return Deno.consoleSize().columns || undefined;
  } catch {
    return undefined; // stdin is no terminal
  }
}

/**
 * Breaks a text at spaces to lines of at most `width`. Every line but the first begins with `indent`,
 * which is not counted: the first one stands behind something of that length.
 */
export function wrap(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && [...longer].length > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join(`\n${indent}`);
}

/** Breaks prose, and leaves lines that begin with a space, or a table's, as they are. */
export function wrapProse(text: string, width: number): string {
  return text.split("\n").map((line) => /^[\s|]/.test(line) ? line : wrap(line, width)).join("\n");
}

/** Cuts to `width` code points, with an ellipsis where something is missing. */
export function clipTo(text: string, width: number): string {
  const points = [...text];
  return points.length <= width ? text : points.slice(0, Math.max(0, width - 1)).join("") + "…";
}

/**
 * The text without what a terminal would obey or what would make it read otherwise: control
 * characters (but newline and tab) and bidirectional overrides are shown as `�`.
 */
export function printable(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** The same on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, " ").trim());
}

/**
 * Writing for people: where to, how wide, how coloured; and text that is safe for a terminal, and short.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Where text goes, as far as it matters here. */
export type Stream = { writeSync(bytes: Uint8Array): number; isTerminal(): boolean };

/** Writes lines to stdout; a reader that has gone (`| head`) is no error. */
export function print(text: string): void {
  writeTo(Deno.stdout, shown(text) + "\n");
}

/** Writes a value to stdout as JSON: exactly the value, in any locale. */
export function printJson(value: unknown, indent?: number): void {
  write(jsonText(value, indent) + "\n");
}

/** Writes lines to stderr. */
export function complain(text: string): void {
  writeTo(Deno.stderr, shown(text) + "\n");
}

/** Writes to stdout as it is: what is not ours must be {@link printable} already. */
export function write(text: string): void {
  writeTo(Deno.stdout, text);
}

/** Writes to stderr, escapes included. */
export function writeError(text: string): void {
  writeTo(Deno.stderr, plain() ? unadorned(text) : text);
}

function writeTo(stream: Stream, text: string): void {
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

/** Nothing but the styles of {@link paintFor} gets through to a terminal, whoever forgot to clean it. */
function shown(text: string): string {
  // deno-lint-ignore no-control-regex
  const clean = text.split(/(\x1b\[(?:[0-2]|3[1236])m)/)
    .map((part, i) => i % 2 === 0 ? printable(part) : part).join("");
  return plain() ? unadorned(clean) : clean;
}

/** Our signs in ASCII, each as wide as before. */
const SIGNS: Readonly<Record<string, string>> = {
  "→": ">",
  "✓": "+",
  "✗": "x",
  "■": "*",
  "█": "#",
  "░": ".",
  "·": "-",
  "…": "~",
};

function unadorned(text: string): string {
  return text.replace(/[→✓✗■█░·…]/g, (sign) => SIGNS[sign] ?? sign);
}

/** Whether the locale, where one is set, is none that has our signs: `LC_ALL=C`. */
function plain(): boolean {
  const env = (name: string) => Deno.env.get(name) || undefined;
  const locale = env("LC_ALL") ?? env("LC_CTYPE") ?? env("LANG");
  return locale !== undefined && !/utf-?8/i.test(locale);
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
export function paintFor(stream: Pick<Stream, "isTerminal">): Paint {
  return isColoured(stream)
    ? (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`
    : (_, text) => text;
}

/**
 * `NO_COLOR` wins over everything; `FORCE_COLOR` and `CLICOLOR_FORCE` (not 0) colour pipes, too; else
 * terminals have colour, unless `FORCE_COLOR` or `CLICOLOR` is 0 or `TERM` is dumb.
 */
function isColoured(stream: Pick<Stream, "isTerminal">): boolean {
  const env = (name: string) => Deno.env.get(name) ?? "";
  const off = (name: string) => /^(?:0|false)$/.test(env(name));
  const on = (name: string) => env(name) !== "" && !off(name);
  if (env("NO_COLOR") !== "") return false;
  if (on("FORCE_COLOR") || on("CLICOLOR_FORCE")) return true;
  return stream.isTerminal() && !off("FORCE_COLOR") && !off("CLICOLOR") && env("TERM") !== "dumb";
}

/** Columns to write for, at least 20: a terminal's, else `$COLUMNS`; a pipe has no end. */
export function columns(stream: Pick<Stream, "isTerminal"> = Deno.stdout): number {
  const named = Number(Deno.env.get("COLUMNS")) || undefined;
  const wide = stream.isTerminal() ? ownColumns() ?? named ?? 80 : named;
  return Math.max(20, wide ?? Infinity);
}

function ownColumns(): number | undefined {
  try {
    return Deno.consoleSize().columns || undefined;
  } catch {
    return undefined; // stdin is no terminal
  }
}

/*
 * Text as values: cleaned of what a terminal would obey, quoted for a shell.
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

/*
 * Calls, outputs and turns in few words and numbers.
 */

/** A number with separators. */
export function count(n: number): string {
  return n.toLocaleString("en");
}

/** `1 call`, `2 calls`. */
export function many(n: number, one: string): string {
  return `${count(n)} ${one}${n === 1 ? "" : "s"}`;
}

/** Bytes, for people. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${(bytes / 1e3).toFixed(bytes < 9950 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)} MB`;
}

/** Local time to the minute. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return oneLine(iso);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What a call is about: the command of a shell call, else its arguments. */
export function callSubject(args: string): string {
  try {
    const value: unknown = JSON.parse(args);
    if (typeof value === "object" && value !== null) {
      const command = "cmd" in value ? value.cmd : "command" in value ? value.command : undefined;
      if (typeof command === "string") return oneLine(command);
      if (Array.isArray(command)) return oneLine(command.join(" "));
    }
    return oneLine(JSON.stringify(value));
  } catch {
    return oneLine(args);
  }
}

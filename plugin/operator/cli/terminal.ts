/**
 * Writing for people: where to, how wide, how coloured.
 *
 * @module
 */
import { jsonText, printable } from "./printable.ts";

const encoder = new TextEncoder();

/** Where text goes, as far as this room must know. */
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

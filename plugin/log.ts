/**
 * Structured log lines to the host (`notifications/message`), by level, with secrets taken out.
 *
 * No prompt text, tool payload or environment value belongs in a line above `debug`; secrets belong
 * in none, whatever a caller passes.
 *
 * @module
 */
import { PLUGIN_NAME } from "./self.ts";
import { LOG_LEVELS, type LogLevel, type LogParams } from "./protocol.ts";
import { inWords } from "../base/error_message.ts";

/** Keys whose values are never shown; numbers are, for `input_tokens` is no secret. */
const SECRET_KEY = /token|secret|passw|authorization|api_?key|credential|cookie/i;
/** Text that looks like a credential wherever it stands. */
const SECRET_TEXT = new RegExp(
  [
    /\bsk-[\w-]{8,}/, // OpenAI's keys
    /\bBearer\s+\S+/,
    /\beyJ[\w-]+\.[\w-]+\.[\w-]+/, // JSON web tokens
    /(?<=:\/\/)[^\s/@]+(?=@)/, // user and password in a URL
    /(?<=\w*(?:token|secret|passw(?:or)?d|api_?key)["']?\s*[=:]\s*["']?)[^\s"'&,;}]+/,
  ].map(({ source }) => source).join("|"),
  "gi",
);
const REDACTED = "[redacted]";
/** Longest text in a log line. */
const MAX_CHARACTERS = 4096;
/** Deepest nesting that is shown, and most values: what a line says may come from anybody. */
const MAX_DEPTH = 16;
const MAX_VALUES = 1000;
const CUT = "…";

/** A log with a threshold. */
export class Log {
  /** The level that the configuration names. */
  configured: LogLevel;
  /** The one that the host has asked for, which counts before it. */
  asked: LogLevel | undefined;
  readonly #send: (line: LogParams) => void;

  constructor(configured: LogLevel, send: (line: LogParams) => void) {
    this.configured = configured;
    this.#send = send;
  }

  /** Lines below this level are not sent. */
  get level(): LogLevel {
    return this.asked ?? this.configured;
  }

  /** Sends a line: `message` says what happened, `data` about whom and how much. */
  write(level: LogLevel, message: string, data: Record<string, unknown> = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level)) return;
    const shown = redact({ msg: message, ...data });
    this.#send({ level, logger: PLUGIN_NAME, data: shown as LogParams["data"] });
  }
}

/**
 * A copy without secrets, by the key's name or because the text looks like one. Texts, depth and the
 * number of values are bounded, with "…" where something was left out.
 */
export function redact(value: unknown): unknown {
  return new Redaction().of(value, 0);
}

class Redaction {
  #left = MAX_VALUES;

  of(value: unknown, depth: number): unknown {
    if (typeof value === "string") return redactText(value);
    if (value instanceof Error) return redactText(value.message);
    if (typeof value !== "object" || value === null) return value;
    if (depth === MAX_DEPTH) return CUT;
    if (Array.isArray(value)) {
      return this.#cut<unknown>(value, CUT).map((inner) => this.of(inner, depth + 1));
    }
    const shown = this.#cut(Object.entries(value), [CUT, CUT]).map(([key, inner]) => [
      key,
      SECRET_KEY.test(key) ? withoutText(inner) : this.of(inner, depth + 1),
    ]);
    return Object.fromEntries(shown);
  }

  /** As many as may still be shown. */
  #cut<T>(values: T[], mark: T): T[] {
    const shown = values.slice(0, this.#left);
    this.#left -= shown.length;
    return shown.length < values.length ? [...shown, mark] : shown;
  }
}

/** A text without what looks like a secret, cut to 4096 characters. */
export function redactText(text: string): string {
  const cut = text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) + CUT : text;
  return cut.replace(SECRET_TEXT, REDACTED);
}

/** Numbers and the like stay; whatever could hold a secret goes. */
function withoutText(value: unknown): unknown {
  return typeof value === "string" || typeof value === "object" && value !== null
    ? REDACTED
    : value;
}

/** An open log file, or nothing at all. */
export class LogFile implements Disposable {
  readonly log: Log;
  readonly #file: Deno.FsFile | undefined;

  /** @param path `undefined` writes nothing. */
  constructor(path: string | undefined, level: LogLevel) {
    this.#file = path === undefined ? undefined : openLog(path);
    this.log = new Log(level, (line) => this.#write(line));
  }

  #write({ level, logger, data }: LogParams): void {
    const line = { time: new Date().toISOString(), level, logger, ...data };
    this.#file?.writeSync(new TextEncoder().encode(JSON.stringify(line) + "\n"));
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

function openLog(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  } catch (error) {
    throw new Error(`Cannot write --log-file ${path}: ${inWords(error)}`);
  }
}

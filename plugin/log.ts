/**
 * Structured log lines to the host (`notifications/message`), by level, with secrets taken out.
 *
 * No prompt text, tool payload or environment value belongs in a line above `debug`; secrets belong
 * in none, whatever a caller passes.
 *
 * @module
 */
import { LOG_LEVELS, type LogLevel, PLUGIN_NAME } from "./protocol.ts";

/** Params of a `notifications/message`. */
export interface LogLine {
  level: LogLevel;
  logger: string;
  data: Record<string, unknown>;
}

/** Keys whose values are never shown. */
const SECRET_KEY = /token|secret|password|authorization|api_?key|credential|cookie/i;
/** Values that look like a credential wherever they stand. */
const SECRET_VALUE = /\b(?:sk-[\w-]{8,}|Bearer\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]+)/g;

/** A log with a threshold. */
export class Log {
  /** Lines below this level are not sent. */
  level: LogLevel;
  readonly #send: (line: LogLine) => void;

  constructor(level: LogLevel, send: (line: LogLine) => void) {
    this.level = level;
    this.#send = send;
  }

  /** Sends a line: `message` says what happened, `data` about whom and how much. */
  write(level: LogLevel, message: string, data: Record<string, unknown> = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level)) return;
    const shown = redact({ msg: message, ...data });
    this.#send({ level, logger: PLUGIN_NAME, data: shown as Record<string, unknown> });
  }
}

/** A copy without secrets: by the key's name, or because the text looks like one. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return value.replace(SECRET_VALUE, "[redacted]");
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      SECRET_KEY.test(key) && typeof inner === "string" ? [key, "[redacted]"] : [key, redact(inner)]
    ),
  );
}

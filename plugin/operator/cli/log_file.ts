/**
 * The log of a turn by hand: one JSON object per line, appended, readable by its owner only.
 *
 * @module
 */
import { Log, type LogLine } from "../../log.ts";
import type { LogLevel } from "../../protocol.ts";

/** An open log file, or nothing at all. */
export class LogFile implements Disposable {
  readonly log: Log;
  readonly #file: Deno.FsFile | undefined;

  /** @param path `undefined` writes nothing. */
  constructor(path: string | undefined, level: LogLevel) {
    this.#file = path === undefined
      ? undefined
      : Deno.openSync(path, { append: true, create: true, mode: 0o600 });
    this.log = new Log(level, (line) => this.#write(line));
  }

  #write({ level, logger, data }: LogLine): void {
    const line = { time: new Date().toISOString(), level, logger, ...data };
    this.#file?.writeSync(new TextEncoder().encode(JSON.stringify(line) + "\n"));
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

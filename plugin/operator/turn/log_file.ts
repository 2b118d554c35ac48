/**
 * The log of a turn by hand: one JSON object per line, appended, readable by its owner only.
 *
 * @module
 */
import { inWords } from "../../../base/error_message.ts";
import { Log } from "../../log.ts";
import type { LogLevel, LogParams } from "../../protocol.ts";

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

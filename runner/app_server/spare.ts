/**
 * A server that is started ahead of the turn that needs it, and that nobody has yet.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { memoryLeft } from "../process/process_table.ts";
import type { Warm } from "../turn_request.ts";
import type { AppServer, ServerCommand } from "./process.ts";

/** Whether a server may wait for its next turn. */
export function isKept({ idleMs, max }: Warm): boolean {
  return idleMs > 0 && max > 0;
}

/** A spare takes 90 to 140 MiB; with less than this left it would take them from somebody. */
const NEEDS_BYTES = 512 * 1024 * 1024;

interface Started {
  key: string;
  /** How whoever it is started for has codex kept, by now. */
  warm: () => Warm;
  /** `undefined` where there is none after all. */
  server: Promise<AppServer | undefined>;
  pid: number | undefined;
}

/** The one spare of a pool. */
export class Spare {
  readonly #start: (command: ServerCommand) => Promise<AppServer>;
  readonly #log: (message: string) => void;
  #started: Started | undefined;

  constructor(
    start: (command: ServerCommand) => Promise<AppServer>,
    log: (message: string) => void,
  ) {
    this.#start = start;
    this.#log = log;
  }

  /** Of its process, once that runs. */
  get pid(): number | undefined {
    return this.#started?.pid;
  }

  /** Whether there is one, or will be. */
  get isThere(): boolean {
    return this.#started !== undefined;
  }

  /**
   * Starts one where that is wanted, unless there is one like it. What is returned is the end of one that
   * was not.
   */
  prepare(command: ServerCommand, warm: () => Warm): Promise<unknown> {
    if (!isWanted(warm())) return Promise.resolve();
    const key = JSON.stringify(command);
    if (this.#started?.key === key) {
      this.#started.warm = warm;
      return Promise.resolve();
    }
    const dismissed = this.dismiss();
    const started: Started = { key, warm, server: Promise.resolve(undefined), pid: undefined };
    this.#started = started;
    started.server = this.#startIfRoom(command).catch((error) => {
      this.#log(`no codex could be started ahead: ${errorMessage(error)}`);
      return undefined;
    }).then((server) => {
      started.pid = server?.pid;
      if (server === undefined && this.#started === started) this.#started = undefined;
      return server;
    });
    return dismissed;
  }

  /** Gives away the one that was started like `key`, if it lives. */
  async take(key: string): Promise<AppServer | undefined> {
    const started = this.#started;
    if (started?.key !== key) return undefined;
    // Before anything is waited for: the next one to come must not take it, too.
    this.#started = undefined;
    const server = await started.server;
    if (server?.isAlive) return server;
    await server?.end();
    return undefined;
  }

  /** Ends it where it would not be started any more. */
  async dismissUnwanted(): Promise<void> {
    if (this.#started !== undefined && !isWanted(this.#started.warm())) await this.dismiss();
  }

  /** Ends it, if there is one. */
  async dismiss(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await (await started?.server)?.end();
  }

  /** The same at once. */
  async kill(): Promise<void> {
    await (await this.#started?.server)?.kill();
  }

  /** Where memory is short there is none, and nothing to be said of it: turns start their own. */
  async #startIfRoom(command: ServerCommand): Promise<AppServer | undefined> {
    if ((await memoryLeft() ?? Infinity) < NEEDS_BYTES) return undefined;
    return await this.#start(command);
  }
}

function isWanted(warm: Warm): boolean {
  return warm.spare && isKept(warm);
}

/**
 * Follows a thread's rollout while codex writes it.
 *
 * codex flushes line by line: a tool call is in the rollout about 0.2 s before codex tells of it on its
 * standard output, some calls (a command that the sandbox blocked, an unknown tool) are told of nowhere
 * else, and only here they carry the model's own call ids. A `Follower` starts at the byte where the turn
 * begins and says what was appended since: it reads each byte once, whatever the size of the session.
 *
 * Only this thread's file is followed. A sub-agent has a thread and a rollout of its own.
 *
 * @module
 */

import { kindOf } from "./records/line_kind.ts";
import { type Line, LineSplitter } from "../base/lines.ts";
import { locateNear, locateRollout } from "./locate.ts";
import { lookUntil } from "./lookout.ts";
import { overlongRecord } from "./overlong.ts";
import { decodeRecord, type RolloutRecord } from "./records/records.ts";
import { readAt } from "./scan.ts";
import { type Followed, TurnCalls } from "./turn_calls.ts";

export type { Followed };

/** What to follow. */
export interface FollowOptions {
  codexHome: string;
  threadId: string;
  /** Path of the rollout from an earlier turn. */
  remembered?: string | undefined;
  /** Byte offset where the turn begins: 0 for a new thread. Nothing before it is read. */
  from: number;
}

/** A longer line is told of by its head only; the host's frames are limited to 64 MiB. */
const MAX_LINE = 48 * 1024 * 1024;
const HEAD_BYTES = 4096;
/**
 * How late a record may be noticed after a silence, where codex's stdout says nothing of it. 64 turns
 * that wait cost a processor about a hundredth of its time.
 */
const LOOK_AT_FILE_MS = 128;
const LOOK_FOR_FILE_MS = 256;

const PASSED: RolloutRecord = { kind: "other", type: "" };

/** Reading is synchronous and its lines are used at once, so all followers share one buffer. */
const buffer = new Uint8Array(256 * 1024);

/** Reads what codex appends to one thread's rollout during one turn. */
export class Follower {
  readonly #options: FollowOptions;
  readonly #calls = new TurnCalls();
  readonly #lines = new LineSplitter(MAX_LINE);
  #path: string | undefined;
  #file: Deno.FsFile | undefined;
  /** End of the last whole line. */
  #offset: number;
  /** End of what was read, which may be inside a line. */
  #position: number;
  #closed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#offset = this.#position = options.from;
    // A new thread's file appears in today's directory; only an old one is worth a search.
    if (options.from > 0) this.#find(locateRollout);
  }

  /** The rollout, once it is there. */
  get path(): string | undefined {
    return this.#path;
  }

  /** End of what was read: where the next turn's follower begins. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Every complete line that is on disk now and was not read before, oldest first, as what it means.
   * Synchronous; one `fstat` where nothing was appended. Finds the file if it was not there yet.
   */
  drain(): Followed[] {
    this.#find(locateNear);
    return this.#read();
  }

  /** Resolves when there is something to drain, on `close`, and when `signal` aborts. Never rejects. */
  async changed(signal: AbortSignal): Promise<void> {
    // While the file is missing, each line of codex's stdout is an occasion to look for it, too.
    const longest = () => this.#file === undefined ? LOOK_FOR_FILE_MS : LOOK_AT_FILE_MS;
    await lookUntil(() => this.#hasNews(), longest, signal);
  }

  /**
   * The last read, when codex has ended. A torn last line counts as absent, as it does for codex; one
   * that only lacks its newline counts. Every call without an output gets the result `aborted`.
   */
  finish(): Followed[] {
    this.#find(locateRollout);
    const followed = this.#read();
    const rest = this.#lines.end();
    if (rest !== undefined && "bytes" in rest) {
      const record = decodeRecord(rest.bytes);
      if (record.kind !== "broken") {
        followed.push(...this.#calls.take(record));
        this.#offset += rest.bytes.length;
      }
    }
    followed.push(...this.#calls.close());
    return followed;
  }

  /** Releases the file, and whoever waits for a change. */
  close(): void {
    this.#closed = true;
    this.#file?.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hasNews(): boolean {
    if (this.#closed) return true;
    try {
      const file = this.#find(locateNear);
      return file !== undefined && file.statSync().size > this.#position;
    } catch {
      return true; // whoever drains will hear of it
    }
  }

  /** The open file, which is looked for where it is not there yet. */
  #find(locate: typeof locateRollout): Deno.FsFile | undefined {
    if (this.#file !== undefined || this.#closed) return this.#file;
    const { codexHome, threadId, remembered } = this.#options;
    const located = locate(codexHome, threadId, remembered);
    if (located.kind !== "found") return undefined;
    this.#file = Deno.openSync(located.path, { read: true });
    this.#path = located.path;
    // A file shorter than it was is not what we knew; what comes now is appended at its end.
    const { size } = this.#file.statSync();
    this.#offset = this.#position = Math.min(this.#options.from, size);
    return this.#file;
  }

  #read(): Followed[] {
    const file = this.#file;
    if (file === undefined) return [];
    const followed: Followed[] = [];
    while (this.#position < file.statSync().size) {
      file.seekSync(this.#position, Deno.SeekMode.Start);
      const read = file.readSync(buffer);
      if (read === null) break;
      this.#position += read;
      for (const line of this.#lines.push(buffer.subarray(0, read))) {
        followed.push(...this.#calls.take(this.#record(line, file)));
        this.#offset += ("bytes" in line ? line.bytes.length : line.overlong) + 1;
      }
    }
    return followed;
  }

  #record(line: Line, file: Deno.FsFile): RolloutRecord {
    if (!("bytes" in line)) {
      return overlongRecord(readAt(file, this.#offset, HEAD_BYTES), line.overlong);
    }
    return kindOf(line.bytes) === "other" ? PASSED : decodeRecord(line.bytes);
  }
}

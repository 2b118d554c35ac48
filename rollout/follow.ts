/**
 * Follows a thread's rollout while codex writes it.
 *
 * codex flushes line by line: a tool call is in the rollout about 0.2 s before codex tells of it on its
 * standard output, some calls (a command that the sandbox blocked, an unknown tool) are told of nowhere
 * else, and only here they carry the model's own call ids. A `Follower` starts at the byte where the turn
 * begins and says what was appended since: it reads each byte once, whatever the size of the session.
 *
 * It reads batch by batch, at the pace of whoever pulls, and lets others run between two batches: of a
 * rollout that grows faster than it is read, one batch is in memory, and what is read in one go ends where
 * the file ended when that began.
 *
 * Only this thread's file is followed. A sub-agent has a thread and a rollout of its own.
 *
 * @module
 */

import { assertSame, type OpenedFile, openOwnFile, UnusableFile } from "../base/files.ts";
import { type Line, LineSplitter } from "../base/lines.ts";
import { letOthersRun, pause } from "../base/timer.ts";
import { locateRollout, type Where } from "./locate.ts";
import { kindOf } from "./records/line_kind.ts";
import { decodeRecord, overlongRecord, type RolloutRecord } from "./records/records.ts";
import { readAt } from "./scan.ts";
import { type Followed, TurnCalls } from "./turn_calls.ts";

export type { Followed };

/** What to follow. */
export interface FollowOptions {
  codexHome: string;
  threadId: string;
  /** Where `locateRollout` found it a moment ago. */
  located?: string | undefined;
  /** Byte offset where the turn begins: 0 for a new thread. Nothing before it is read. */
  from: number;
}

/** A longer line is told of by its head only; the host's frames are limited to 64 MiB. */
const MAX_LINE = 48 * 1024 * 1024;
const HEAD_BYTES = 4096;
/**
 * So much is read at the end whatever the time. A codex that is stopped goes on recording until it is gone,
 * a while after its grace, and the model will see that.
 */
const LAST_BYTES = 4 * 1024 * 1024;
/**
 * A look follows 8 ms after the last one, then 16 ms, …, and at least so often, which is how late a record
 * may be noticed where codex's stdout says nothing of it. 64 turns that wait cost a processor about a
 * hundredth of its time.
 *
 * Not by file events: in Deno 2.4, `Deno.watchFs` keeps every watcher that was ever closed, and each
 * event is held against all of them. After 400 turns an event costs 2.4 ms instead of 0.3 ms, and some
 * are lost. A look costs some microseconds, needs no thread and no inotify instance, and finds what
 * file systems without events hold.
 */
const FIRST_LOOK_MS = 8;
const LOOK_AT_FILE_MS = 128;
const LOOK_FOR_FILE_MS = 256;

const PASSED: RolloutRecord = { kind: "other", type: "" };

const BATCH_BYTES = 256 * 1024;
/** A batch is read and decoded in one piece, so all followers share one buffer. */
const buffer = new Uint8Array(BATCH_BYTES);

/** Reads what codex appends to one thread's rollout during one turn. Its reads must not overlap. */
export class Follower {
  readonly #options: FollowOptions;
  readonly #calls = new TurnCalls();
  #lines = new LineSplitter(MAX_LINE);
  #path: string | undefined;
  #file: OpenedFile | undefined;
  /** Why the rest of the last batch could not be read. */
  #failure: unknown;
  /** What was opened first. */
  #info: Deno.FileInfo | undefined;
  #finding: Promise<void> | undefined;
  /** An old thread's file is worth a search through all days, once. */
  #searched: boolean;
  /** End of the last whole line. */
  #offset: number;
  /** End of what was read, which may be inside a line. */
  #position: number;
  #closed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#offset = this.#position = options.from;
    this.#searched = options.from === 0;
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
   * Every complete line that is on disk now and was not read before, oldest first, as what it means. Finds
   * the file if it was not there yet; one `fstat` where nothing was appended. What fails can be tried again:
   * nothing is told twice or left out.
   *
   * @param signal leaves the rest to another read when it aborts.
   * @throws what the system says, and UnusableFile where the file is another one when it is tried again.
   */
  async *drain(signal?: AbortSignal): AsyncGenerator<Followed> {
    await this.#find(this.#searched ? "its days" : "everywhere");
    this.#searched = true;
    yield* this.#read(() => signal?.aborted === true);
  }

  /** Resolves when there is something to drain, on `close`, and when `signal` aborts. Never rejects. */
  async changed(signal: AbortSignal): Promise<void> {
    for (let pauseMs = FIRST_LOOK_MS; !signal.aborted; pauseMs *= 2) {
      if (await this.#hasNews()) return;
      // While the file is missing, each line of codex's stdout is an occasion to look for it, too.
      const longest = this.#file === undefined ? LOOK_FOR_FILE_MS : LOOK_AT_FILE_MS;
      await pause(Math.min(pauseMs, longest), signal);
    }
  }

  /**
   * The last read, when codex has ended. A torn last line counts as absent, as it does for codex; one
   * that only lacks its newline counts. Every call without an output gets the result `aborted`. Fails as
   * `drain` does.
   *
   * @param signal leaves out what was not read when it aborts, beyond the first 4 MiB; the results still come.
   */
  async *finish(signal?: AbortSignal): AsyncGenerator<Followed> {
    await this.#find("everywhere");
    const last = this.#position + LAST_BYTES;
    const isEnough = () => signal?.aborted === true && this.#position >= last;
    yield* this.#read(isEnough);
    const rest = isEnough() ? undefined : this.#lines.end();
    if (rest !== undefined && "bytes" in rest) {
      const record = decodeRecord(rest.bytes);
      if (record.kind !== "broken") {
        this.#offset += rest.bytes.length;
        yield* this.#calls.take(record);
      }
    }
    yield* this.unanswered();
  }

  /** What `finish` tells at its end, for whoever gives up reading: results of the calls that have none. */
  unanswered(): Followed[] {
    return this.#calls.close();
  }

  /** Releases the file, and whoever waits for a change. */
  close(): void {
    this.#closed = true;
    this.#file?.file.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #hasNews(): Promise<boolean> {
    if (this.#closed) return true;
    try {
      await this.#find("its days");
      return this.#file !== undefined && this.#file.file.statSync().size > this.#position;
    } catch {
      return true; // whoever drains will hear of it
    }
  }

  /** Opens the file where it is not open yet. */
  async #find(where: Where): Promise<void> {
    await this.#finding;
    if (this.#file !== undefined || this.#closed) return;
    this.#finding = this.#open(where).finally(() => this.#finding = undefined);
    await this.#finding;
  }

  async #open(where: Where): Promise<void> {
    const { codexHome, threadId } = this.#options;
    let path = this.#path ?? this.#options.located;
    let opened = path && openIfUsable(path);
    if (!opened) {
      const located = await locateRollout(codexHome, threadId, undefined, where);
      if (located.kind === "refused" && located.cause !== undefined) throw located.cause;
      if (located.kind !== "found" || this.#closed) return;
      opened = openIfUsable(path = located.path);
    }
    if (!path || !opened) return;
    try {
      assertSame(path, this.#info ?? opened.info, opened.info);
    } catch (error) {
      opened.file.close();
      throw error;
    }
    this.#file = opened;
    this.#info = opened.info;
    this.#path = path;
    // A file shorter than it was is not what we knew; what comes now is appended at its end.
    this.#offset = this.#position = Math.min(this.#offset, opened.info.size);
  }

  async *#read(isEnough: () => boolean): AsyncGenerator<Followed> {
    try {
      const end = this.#file?.file.statSync().size ?? 0;
      while (this.#position < end && !isEnough()) {
        const batch = this.#readBatch(end);
        if (batch === undefined) return;
        yield* batch;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#position < end) await letOthersRun();
      }
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  /** The next read opens the file anew, since a stale handle stays stale, and begins after the last whole line. */
  #letGo(): void {
    this.#file?.file.close();
    this.#file = undefined;
    this.#failure = undefined;
    this.#lines = new LineSplitter(MAX_LINE);
  }

  #readBatch(end: number): Followed[] | undefined {
    const file = this.#file?.file; // closed while somebody was told of the last batch?
    file?.seekSync(this.#position, Deno.SeekMode.Start);
    const read = file?.readSync(buffer.subarray(0, Math.min(end - this.#position, BATCH_BYTES)));
    if (file === undefined || !read) return undefined;
    this.#position += read;
    const followed: Followed[] = [];
    try {
      for (const line of this.#lines.push(buffer.subarray(0, read))) {
        followed.push(...this.#calls.take(this.#record(line, file)));
        this.#offset += ("bytes" in line ? line.bytes.length : line.overlong) + 1;
      }
    } catch (error) {
      this.#failure = error; // once the lines before it are told
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

/** The file, unless it was replaced by something else since it was looked at: then it is looked for again. */
function openIfUsable(path: string): OpenedFile | undefined {
  try {
    return openOwnFile(path);
  } catch (error) {
    if (error instanceof UnusableFile || error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Reads a thread off codex's rollout, which is never changed here.
 *
 * @module
 */
import { openOwnFile } from "../../base/files.ts";
import { texts } from "../records/events.ts";
import { type Fields, isObject } from "../../base/json_object.ts";
import { kindOf } from "../records/line_kind.ts";
import { recordOf, type RolloutRecord } from "../records/records.ts";
import { readAt, scanLines, type ScannedLine } from "../scan.ts";
import { clip, parseShortened } from "./recorded_value.ts";
import { type RecordedLine, ThreadCalls } from "./thread_calls.ts";
import type { CallReport, ThreadReport, TurnReport } from "./thread_report.ts";

/** A longer line is not read; nor has it a place in the index by which calls are consumed. */
const MAX_LINE = 256 * 1024 * 1024;
/** What begins a turn, also where the line says it in another way than codex does. */
const BOUNDARY = /"type":"(?:task_started|user_message|item_completed)"/;
const BOUNDARY_WITHIN = 256;
/** Of an overlong line: it has the call's id. */
const HEAD = 4096;
/** Ids and names are shorter. */
const SHORTEST = 256;
/** Of what a person's message is: what was asked stands behind what an editor had open. */
const ASKED = 65_536;
/** What a character takes at most, as it is written. */
const CHARACTER = 6;

/** How much is kept of what was said. */
export interface ReportOptions {
  /** Of a call's arguments and outputs, in characters; 2,000 when left out. With 0 no text is kept at all. */
  callText?: number;
}

/** Longest text kept of a prompt or an answer, in characters. */
const SAID = 2000;

/** Reads the rollout at `path`. */
export function reportThread(path: string, { callText = 2000 }: ReportOptions = {}): ThreadReport {
  using rollout = openOwnFile(path);
  const reader = new ThreadReader(path, rollout.info.size, callText);
  for (const line of scanLines(rollout.file, { maxLine: MAX_LINE })) reader.take(line);
  return reader.report;
}

/** Reads only the calls whose records are at these places of the rollout, oldest first. */
export function reportCalls(
  file: Deno.FsFile,
  places: readonly { offset: number; length: number }[],
  { callText = 0 }: ReportOptions = {},
): CallReport[] {
  const reader = new ThreadReader("", 0, callText);
  for (const { offset, length } of places) {
    const bytes = readAt(file, offset, length);
    reader.take({ offset, length, bytes, terminated: true, overlong: false });
  }
  return reader.report.turns.flatMap(({ calls }) => calls);
}

class ThreadReader {
  readonly report: ThreadReport;
  readonly #decoder = new TextDecoder();
  readonly #calls: ThreadCalls;
  /** codex before 0.100 does not tell where a turn begins: each message of the user begins one. */
  #turnsAreTold = false;

  /** Of prompts and answers, in characters. */
  readonly #said: number;
  /** Of every string in a line, in bytes. */
  readonly #keep: number;

  constructor(path: string, size: number, callText: number) {
    this.#said = callText === 0 ? 0 : SAID;
    this.#keep = Math.max(SHORTEST, CHARACTER * Math.max(callText, this.#said));
    this.#calls = new ThreadCalls(callText);
    this.report = {
      threadId: "",
      path,
      size,
      cwd: "",
      codexVersion: "",
      turns: [],
      unreadable: 0,
      tooLarge: { lines: 0, bytes: 0 },
    };
  }

  take(line: ScannedLine): void {
    const kind = kindOf(line.bytes);
    if (line.overlong) this.#tooLarge(line, kind);
    else if (kind === "output") this.#output(line);
    else {
      const mayBegin = (kind === "other" || this.#said > 0) && this.#mayBegin(line);
      if (kind !== "other" || mayBegin) this.#decoded(line, mayBegin);
    }
  }

  #mayBegin(line: ScannedLine): boolean {
    return BOUNDARY.test(this.#head(line, BOUNDARY_WITHIN));
  }

  #head({ bytes }: ScannedLine, length: number): string {
    return this.#decoder.decode(bytes.subarray(0, length));
  }

  #decoded(line: ScannedLine, mayBegin: boolean): void {
    let parsed: unknown;
    try {
      const mayAsk = this.#said > 0 && mayBegin;
      parsed = parseShortened(line.bytes, mayAsk ? Math.max(this.#keep, ASKED) : this.#keep);
    } catch {
      this.report.unreadable++;
      return;
    }
    const { timestamp, payload } = isObject(parsed) ? parsed : {};
    const at = typeof timestamp === "string" ? timestamp : "";
    if (!isObject(payload) || !this.#boundary(payload, at)) {
      this.#record(recordOf(parsed, line.bytes), line, at);
    }
  }

  #output(line: RecordedLine): void {
    try {
      if (this.#calls.output(line)) return;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    this.report.unreadable++;
  }

  #tooLarge(line: ScannedLine, kind: ReturnType<typeof kindOf>): void {
    const { offset, length } = line;
    this.report.tooLarge.lines++;
    this.report.tooLarge.bytes += length;
    if (kind === "output") this.#calls.tooLarge(this.#head(line, HEAD), { offset, length });
  }

  /** What `records.ts` leaves to others: where a turn begins and what was asked. */
  #boundary(payload: Fields, at: string): boolean {
    if (payload.type === "task_started") {
      this.#turnsAreTold = true;
      this.#begin(at);
      return true;
    }
    const item = payload.type === "user_message" || !isObject(payload.item)
      ? payload
      : payload.item;
    if (item.type !== "user_message" && item.type !== "UserMessage") return false;
    const text = requestIn(
      typeof item.message === "string" ? item.message : texts(item.content).join("\n"),
    );
    const turn = this.#turnsAreTold ? this.#turn(at) : this.#begin(at);
    turn.prompt = clip(turn.prompt === "" ? text : `${turn.prompt}\n${text}`, this.#said);
    return true;
  }

  #record(record: RolloutRecord, line: RecordedLine, at: string): void {
    switch (record.kind) {
      case "session_meta":
        // A thread that was forked from another repeats that one's line.
        if (this.report.threadId !== "") return;
        this.report.threadId = record.threadId;
        this.report.cwd = record.cwd ?? "";
        this.report.codexVersion = record.cliVersion ?? "";
        return;
      case "call": {
        const call = this.#calls.begin(record, line, at);
        if (call !== undefined) this.#turn(at).calls.push(call);
        return;
      }
      case "output": // in a line whose head is not as codex writes it
        return this.#output(line);
      case "outcome":
        return this.#calls.outcome(record.id, record.failed);
      case "message":
        this.#turn(at).answer = clip(record.text, this.#said);
        // Where the end of a turn is not told, its answer is the last thing known of it.
        if (!this.#turnsAreTold) this.#end("complete", at);
        return;
      case "usage":
        this.#turn(at).contextTokens = record.last.inputTokens;
        return;
      case "turn_aborted":
        return this.#end("aborted", at);
      case "task_complete":
        return this.#end(record.error === undefined ? "complete" : "failed", at);
      case "error":
        this.#turn(at).status = "failed";
        return;
      case "compacted":
        this.#calls.compacted(record.items);
        this.#turn(at).compacted = true;
        return;
      case "broken":
        this.report.unreadable++;
        return;
      case "thought":
      case "task_started":
      case "sub_agent":
      case "other":
        return;
    }
  }

  #end(status: TurnReport["status"], at: string): void {
    const turn = this.#turn(at);
    if (turn.status === "open" || status !== "complete") turn.status = status;
    turn.endedAt = at;
  }

  #begin(at: string): TurnReport {
    const turn: TurnReport = {
      number: this.report.turns.length + 1,
      startedAt: at,
      endedAt: "",
      prompt: "",
      answer: "",
      status: "open",
      contextTokens: undefined,
      calls: [],
      compacted: false,
    };
    this.report.turns.push(turn);
    return turn;
  }

  #turn(at: string): TurnReport {
    return this.report.turns.at(-1) ?? this.#begin(at);
  }
}

/** codex's extensions for editors put what is open there before what the person asked. */
const IDE_CONTEXT = "# Context from my IDE setup:";
const IDE_REQUEST = /^## My request for Codex:\s*/m;

function requestIn(text: string): string {
  const request = text.startsWith(IDE_CONTEXT) ? IDE_REQUEST.exec(text) : null;
  return request === null ? text : text.slice(request.index + request[0].length);
}

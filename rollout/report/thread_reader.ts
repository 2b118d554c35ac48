/**
 * Reads a thread off codex's rollout, which is never changed here.
 *
 * @module
 */
import { openOwnFile } from "../../base/open_file.ts";
import { kindOf } from "../records/line_kind.ts";
import { decodeRecord, type RolloutRecord } from "../records/records.ts";
import { scanLines } from "../scan.ts";
import { ThreadCalls } from "./thread_calls.ts";
import { clip, objectOf, payloadOf, textOf } from "./thread_content.ts";
import type { ThreadReport, TurnReport } from "./thread_report.ts";

const MAX_LINE = 64 * 1024 * 1024;
const TIME_START = '{"timestamp":"'.length;
const TIME_LENGTH = 24;
const EXTRA_EVENT = /"type":"(?:task_started|user_message)"/;

/** Reads the rollout at `path`. */
export function reportThread(path: string): ThreadReport {
  using rollout = openOwnFile(path);
  const reader = new ThreadReader(path, rollout.info.size);
  for (const line of scanLines(rollout.file, { maxLine: MAX_LINE })) {
    if (line.overlong) reader.unreadable();
    else reader.take(line.bytes);
  }
  return reader.report;
}

class ThreadReader {
  readonly report: ThreadReport;
  readonly #decoder = new TextDecoder();
  readonly #calls = new ThreadCalls();

  constructor(path: string, size: number) {
    this.report = { threadId: "", path, size, cwd: "", codexVersion: "", turns: [], unreadable: 0 };
  }

  unreadable(): void {
    this.report.unreadable++;
  }

  take(line: Uint8Array): void {
    const head = this.#decoder.decode(line.subarray(0, 256));
    const at = head.startsWith('{"timestamp":"')
      ? head.slice(TIME_START, TIME_START + TIME_LENGTH)
      : "";
    const kind = kindOf(line);
    if (EXTRA_EVENT.test(head) || (kind === "event" && head.includes('"type":"item_completed"'))) {
      if (this.#boundary(line, at)) return;
    }
    if (kind !== "other") this.#record(decodeRecord(line), at);
  }

  /** What `records.ts` leaves to others: where a turn begins and what was asked. */
  #boundary(line: Uint8Array, at: string): boolean {
    const payload = payloadOf(this.#decoder.decode(line));
    if (payload.type === "task_started") {
      this.#begin(at);
      return true;
    }
    const item = payload.type === "user_message" ? payload : objectOf(payload.item);
    if (payload.type !== "user_message" && item.type !== "UserMessage") return false;
    const text = typeof item.message === "string" ? item.message : textOf(item.content);
    const turn = this.#turn(at);
    turn.prompt = clip(turn.prompt === "" ? text : `${turn.prompt}\n${text}`);
    return true;
  }

  #record(record: RolloutRecord, at: string): void {
    switch (record.kind) {
      case "session_meta":
        // A thread that was forked from another repeats that one's line.
        if (this.report.threadId !== "") return;
        this.report.threadId = record.threadId;
        this.report.cwd = record.cwd ?? "";
        this.report.codexVersion = record.cliVersion ?? "";
        return;
      case "call": {
        const call = this.#calls.begin(record, at);
        if (call !== undefined) this.#turn(at).calls.push(call);
        return;
      }
      case "output":
        return this.#calls.output(record.id, record.output);
      case "outcome":
        return this.#calls.outcome(record.id, record.failed);
      case "message":
        this.#turn(at).answer = clip(record.text);
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
        return this.unreadable();
      case "thought":
      case "turn_context":
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

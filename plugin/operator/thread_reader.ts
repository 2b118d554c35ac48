/**
 * Reads a thread off codex's rollout, which is never changed here.
 *
 * @module
 */
import { kindOf } from "../../rollout/line_kind.ts";
import { markersOf } from "../../rollout/markers.ts";
import { tellsFailure } from "../../rollout/outcome.ts";
import { decodeRecord, type RolloutRecord } from "../../rollout/records.ts";
import { scanLines } from "../../rollout/scan.ts";
import {
  byteLength,
  clip,
  contentOf,
  objectOf,
  payloadOf,
  textOf,
  tokensOf,
} from "./thread_content.ts";
import type { CallReport, ThreadReport, TurnReport } from "./thread_report.ts";

const MAX_LINE = 64 * 1024 * 1024;
const TIME_START = '{"timestamp":"'.length;
const TIME_LENGTH = 24;
const EXTRA_EVENT = /"type":"(?:task_started|user_message)"/;

/** Reads the rollout at `path`. */
export function reportThread(path: string): ThreadReport {
  using file = Deno.openSync(path, { read: true });
  const reader = new ThreadReader(path, file.statSync().size);
  for (const line of scanLines(file, { maxLine: MAX_LINE })) {
    if (line.overlong) reader.unreadable();
    else reader.take(line.bytes);
  }
  return reader.report;
}

class ThreadReader {
  readonly report: ThreadReport;
  readonly #decoder = new TextDecoder();
  readonly #calls = new Map<string, CallReport>();
  readonly #failed = new Map<string, boolean>();

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
      case "call":
        return this.#call(record, at);
      case "output":
        return this.#output(record.id, record.output);
      case "outcome":
        this.#failed.set(record.id, record.failed);
        return;
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
        return this.#compacted(record.items, at);
      case "broken":
        return this.unreadable();
      case "thought":
      case "other":
        return;
    }
  }

  #call(record: RolloutRecord & { kind: "call" }, at: string): void {
    if (this.#calls.has(record.id)) return;
    const argumentBytes = byteLength(record.arguments);
    const call: CallReport = {
      id: record.id,
      name: record.name,
      ...(record.namespace === undefined ? {} : { namespace: record.namespace }),
      at,
      arguments: clip(record.arguments),
      argumentBytes,
      output: "",
      outputBytes: 0,
      images: 0,
      outputs: 0,
      failed: false,
      consumed: "no",
      inContext: true,
      tokens: tokensOf(argumentBytes, 0),
    };
    this.#calls.set(record.id, call);
    this.#turn(at).calls.push(call);
  }

  #output(id: string, output: string | unknown[]): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { text, images } = contentOf(output);
    call.outputs++;
    call.output = clip(call.output === "" ? text : `${call.output}\n${text}`);
    call.outputBytes += byteLength(text);
    call.images += images;
    const event = this.#failed.get(id);
    call.failed ||= event === true || tellsFailure(output, event !== undefined);
    if (output === markersOf("consume-light").output) call.consumed = "light";
    else if (output === markersOf("consume-heavy").output) call.consumed = "heavy";
    call.tokens = tokensOf(call.argumentBytes + call.outputBytes, call.images);
  }

  /** Only what the replacement still holds reaches the model from here on. */
  #compacted(items: unknown[], at: string): void {
    const kept = new Set(items.map((item) => objectOf(item).call_id));
    for (const call of this.#calls.values()) call.inContext &&= kept.has(call.id);
    this.#turn(at).compacted = true;
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

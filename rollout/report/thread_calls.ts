/**
 * The calls of a thread, put together from what the rollout says of each in several places.
 *
 * @module
 */
import { isObject } from "../../base/json_object.ts";
import { type Span, stringAt } from "../../base/raw_json.ts";
import { markersOf } from "../consume/plan.ts";
import { tellsFailure } from "../records/events.ts";
import { contentEnd, paddedEnd } from "../records/items.ts";
import type { CallRecord } from "../records/records.ts";
import { clip, contentIn, outputAt, payloadOf, tailOf } from "./recorded_value.ts";
import type { CallReport } from "./thread_report.ts";

/** A line and where it stands. */
export interface RecordedLine {
  offset: number;
  length: number;
  bytes: Uint8Array;
}

/** How codex before 0.100 wrote the output of a command: as JSON in a string, which ends so. */
const OLD_FAILURE = /\\"exit_code\\":-?[1-9]\d*\D.{0,80}$|\\"success\\":false\}$/s;
/** Enough for what codex itself says at the beginning of an output. */
const HEAD = 4096;
/** Longer than what a consume leaves. */
const SHORTEST = 64;
/** The same at its end. */
const TAIL = 200;

/** Calls by their id. What belongs to a call that was never begun is passed by. */
export class ThreadCalls {
  readonly #calls = new Map<string, CallReport>();
  readonly #failed = new Map<string, boolean>();
  readonly #textLength: number;

  /**
   * @param textLength How much of a call's arguments and outputs is kept, in characters. With 0 none is, and
   * no call is said to have failed.
   */
  constructor(textLength: number) {
    this.#textLength = textLength;
  }

  /** A new call; `undefined` when it is known already. `record` may lack the end of long arguments. */
  begin(record: CallRecord, line: RecordedLine, at: string): CallReport | undefined {
    if (this.#calls.has(record.id)) return undefined;
    const { form, id, name, namespace } = record;
    const span = argumentsOf(record, line.bytes);
    const call: CallReport = {
      id,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      at,
      arguments: clip(record.arguments, this.#textLength),
      argumentBytes: span === undefined ? 0 : bytesIn(line.bytes, span),
      output: "",
      outputBytes: 0,
      images: 0,
      outputs: 0,
      failed: false,
      consumed: "no",
      freedBytes: freedIn(line.bytes),
      inContext: true,
      tooLarge: false,
      savings: { "consume-light": 0, "consume-heavy": 0 },
      records: [placeOf(line)],
    };
    if (span !== undefined && (form === "function_call" || form === "custom_tool_call")) {
      this.#save(call, line.bytes, span, call.argumentBytes, "input");
    }
    this.#calls.set(id, call);
    return call;
  }

  /** One of a call's outputs; false where the line is none that can be read. */
  output(line: RecordedLine): boolean {
    const { bytes } = line;
    const found = payloadOf(bytes, ["type", "call_id", "output", "tools"]);
    if (found === undefined) return false;
    const id = stringAt(bytes, found.call_id);
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (call === undefined) return true;
    call.records.push(placeOf(line));
    const searched = stringAt(bytes, found.type) === "tool_search_output";
    const span = searched ? found.tools : found.output;
    if (span !== undefined) this.#hold(call, bytes, span, !searched);
    return true;
  }

  #hold(call: CallReport, line: Uint8Array, span: Span, editable: boolean): void {
    call.outputs++;
    const value = outputAt(line, span, this.#textLength > 0 ? HEAD : SHORTEST);
    const output = typeof value === "string" || Array.isArray(value) ? value : "aborted";
    const content = contentIn(line, span);
    call.outputBytes += content.bytes;
    call.images += content.images;
    if (this.#textLength > 0) {
      const text = textOf(output);
      call.output = clip(call.output === "" ? text : `${call.output}\n${text}`, this.#textLength);
      const event = this.#failed.get(call.id);
      call.failed ||= event === true || tellsFailure(output, event !== undefined) ||
        OLD_FAILURE.test(tailOf(line, span, TAIL));
    }
    if (output === markersOf("consume-light").output) call.consumed = "light";
    else if (output === markersOf("consume-heavy").output) call.consumed = "heavy";
    call.freedBytes += freedIn(line);
    if (editable) this.#save(call, line, span, content.bytes, "output");
  }

  /** Adds up what a consume of this value would save: as `plan.ts` would do it. */
  #save(
    call: CallReport,
    line: Uint8Array,
    span: Span,
    bytes: number,
    part: "input" | "output",
  ): void {
    const room = span.end - span.start + freedIn(line);
    for (const op of ["consume-light", "consume-heavy"] as const) {
      const marker = markersOf(op)[part];
      if (marker === undefined) continue;
      const recorded = JSON.stringify(marker).length;
      const done = recorded === span.end - span.start && stringAt(line, span) === marker;
      if (!done && recorded <= room) call.savings[op] += bytes - marker.length;
    }
  }

  /** An output of which only the head of its line can be read. */
  tooLarge(head: string, { offset, length }: Omit<RecordedLine, "bytes">): void {
    const call = this.#calls.get(/"call_id":"([^"\\]{1,300})"/.exec(head)?.[1] ?? "");
    if (call === undefined) return;
    call.outputs++;
    call.tooLarge = true;
    call.outputBytes += length;
    call.records.push({ offset, length });
  }

  /** How the call went. Looked at when an output comes: what is told later is too late. */
  outcome(id: string, failed: boolean): void {
    this.#failed.set(id, failed);
  }

  /** Only what the replacement still holds reaches the model from here on. */
  compacted(items: readonly unknown[]): void {
    const kept = new Set(items.map((item) => isObject(item) ? item.call_id : undefined));
    for (const call of this.#calls.values()) call.inContext &&= kept.has(call.id);
  }
}

/** The text of an output; `[image]` stands for one. */
export function textOf(output: string | readonly unknown[]): string {
  if (typeof output === "string") return output;
  return output.map((part) => {
    if (!isObject(part)) return "";
    if (part.type === "input_image") return "[image]";
    return typeof part.text === "string" ? part.text : "";
  }).join("\n");
}

const ARGUMENTS: Readonly<Record<CallRecord["form"], "arguments" | "input" | "action">> = {
  function_call: "arguments",
  custom_tool_call: "input",
  local_shell_call: "action",
  tool_search_call: "arguments",
};

function argumentsOf({ form }: CallRecord, line: Uint8Array): Span | undefined {
  const name = ARGUMENTS[form];
  return payloadOf(line, [name])?.[name];
}

/** Arguments that are an object, not a string, count as the file has them. */
function bytesIn(line: Uint8Array, span: Span): number {
  return line[span.start] === 0x22 ? contentIn(line, span).bytes : span.end - span.start;
}

/** What a consume blanked out at the end of a record's line. */
function freedIn(line: Uint8Array): number {
  return paddedEnd(line) - contentEnd(line);
}

function placeOf({ offset, length }: RecordedLine): { offset: number; length: number } {
  return { offset, length };
}

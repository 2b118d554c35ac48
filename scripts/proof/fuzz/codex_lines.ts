/**
 * What codex prints and records, in any order and any state of decay: every line becomes events that
 * a host can read, in the order the protocol promises, and the end of the turn can be judged.
 *
 * A case is lines. One that begins with `R` is a line of the rollout, any other is of stdout.
 */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { decodeRecord, overlongRecord } from "../../../rollout/records/records.ts";
import { type Line, LineSplitter } from "../../../base/lines.ts";
import { TurnCalls } from "../../../rollout/turn_calls.ts";
import { decodeExecLine } from "../../../runner/exec/wire.ts";
import type { TurnEvent } from "../../../runner/turn_event.ts";
import { TurnOutput } from "../../../runner/turn_output.ts";
import { totalAfter, turnUsage, usageTold, ZERO_USAGE } from "../../../runner/thread/usage.ts";
import { judge } from "../../../runner/failure/verdict.ts";
import { checkEventParams } from "../../../tests/support/wire.ts";
import { captured, lines, mutated } from "./mutation.ts";
import { execLine, rolloutLine } from "./codex_text.ts";
import { bytesOf, chunksOf, type Runner, type Target } from "./target.ts";

const THREAD = "01a20339-004c-7780-ad3c-b93c735b49cf";
/** Lower than the real limit, so that lines beyond it are met. */
const MAX_LINE = 16 * 1024;
/** Bytes told for each byte read; a byte may become the six of an escape, and a call two events. */
const GROWTH = 16;
const GROWTH_FREE = 64 * 1024;

/** codex's output and what the turn tells of it. */
export const codexLines: Target = {
  cases: mutated(fc.oneof(
    lines(fc.oneof(execLine, rolloutLine.map((line) => `R${line}`))),
    captured("stdout.jsonl"),
    captured("rollout.jsonl", { prefix: "R" }),
  )),
  open: (): Runner => ({ run: check }),
};

function check(bytes: Uint8Array): void {
  const output = new TurnOutput((_, name) => name === "echo" ? "host echo" : undefined);
  const calls = new TurnCalls();
  const told = new Told(bytes.length);
  const splitter = new LineSplitter(MAX_LINE);
  const take = (line: Line): void => told.take(eventsOf(line, output, calls));
  for (const chunk of chunksOf(bytes)) for (const line of splitter.push(chunk)) take(line);
  const rest = splitter.end();
  if (rest !== undefined) take(rest);
  for (const followed of calls.close()) told.take(output.follow(followed));
  told.end(output);
}

function eventsOf(line: Line, output: TurnOutput, calls: TurnCalls): TurnEvent[] {
  if (line.overlong !== undefined) {
    // The head of an overlong line is gone here; any other head is as good.
    const followed = calls.take(overlongRecord(bytesOf("{}"), line.overlong));
    return followed.flatMap((each) => output.follow(each));
  }
  if (line.bytes[0] !== 0x52) {
    const event = decodeExecLine(line.bytes);
    return event === undefined ? [] : output.take(event);
  }
  const record = line.bytes.subarray(1);
  overlongRecord(record, record.length); // of any head; must not throw
  return calls.take(decodeRecord(record)).flatMap((each) => output.follow(each));
}

/** What the host would be told, checked as it comes. */
export class Told {
  readonly #started = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #limit: number;
  #seq = 0;
  #text = -1;
  #bytes = 0;

  constructor(received: number) {
    this.#limit = received * GROWTH + GROWTH_FREE;
  }

  take(events: TurnEvent[]): void {
    for (const event of events) this.#check(event);
  }

  /** The turn is over, however it ended. */
  end(output: TurnOutput): void {
    const unanswered = [...this.#started].filter((id) => !this.#answered.has(id));
    assert.deepEqual(unanswered, [], "every call that was told has a result");
    const reported = output.terminal?.type === "completed" ? output.terminal.usage : undefined;
    const evidence = { reported, recorded: output.recorded, base: ZERO_USAGE };
    totalAfter(evidence);
    const end = { usage: usageTold(turnUsage(evidence)), thread_id: THREAD };
    for (const exit of [{ code: 0, signal: undefined }, { code: 137, signal: "SIGKILL" }]) {
      const rest = { stop: undefined, lingered: false, refused: undefined, survivors: [] };
      const { stopReason, failure } = judge({ output, exit, stderr: "Error: x", ...rest });
      if (failure !== undefined) this.#check({ type: "error", error: failure });
      this.#check({ type: "message_end", stop_reason: stopReason, ...end });
    }
  }

  #check(event: TurnEvent): void {
    const params = { request_id: 1, seq: this.#seq++, event };
    const frame = JSON.stringify(params);
    assert.ok(!frame.includes("\n"), "a frame is one line");
    checkEventParams(withoutPhase(JSON.parse(frame)));
    this.#bytes += frame.length;
    assert.ok(this.#bytes <= this.#limit, `told ${this.#bytes} bytes, limit ${this.#limit}`);
    if (event.type === "text_delta") {
      assert.ok([this.#text, this.#text + 1].includes(event.index), "text index without gaps");
      this.#text = event.index;
      assert.ok(event.index === 0 || event.text.startsWith("\n\n"), "blank line between texts");
    } else if (event.type === "tool_call_start") {
      assert.ok(!this.#started.has(event.id), `call ${event.id} is told once`);
      this.#started.add(event.id);
    } else if (event.type === "tool_call_end") {
      assert.ok(this.#started.has(event.id) && !this.#ended.has(event.id), "started, then ended");
      this.#ended.add(event.id);
    } else if (event.type === "tool_result") this.#answered.add(event.id);
  }
}

/** A phase is codex's word, handed on as it is; the reference host only knows two. */
function withoutPhase(params: { event: Record<string, unknown> }): unknown {
  const { phase, ...event } = params.event;
  assert.ok(["undefined", "string"].includes(typeof phase), "a phase is a word");
  return { ...params, event };
}

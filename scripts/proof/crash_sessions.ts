/**
 * Two sessions that crashes must not harm: one whose every byte is known, and one that a real codex writes
 * meanwhile.
 */
import { strict as assert } from "node:assert";
import { parseArgs } from "node:util";
import { join } from "@std/path";
import { callItemsIn } from "../../rollout/records/items.ts";
import { SESSION_FILE } from "../../rollout/state/state.ts";
import { NEWEST_CODEX } from "../../tests/support/codex.ts";
import type { Sandbox } from "../../tests/support/sandbox.ts";
import { random } from "./series.ts";

/** What the command line asks for (`--kills`, `--codex`, `--seed`), and what is said at the end. */
export function crashRun(usual: { kills: number }) {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: String(usual.kills) },
      codex: { type: "string", default: NEWEST_CODEX },
      seed: { type: "string", default: "1" },
    },
  });
  const started = performance.now();
  const summary = (counts: Record<string, number>) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`codex ${values.codex}, ${seconds} s, seed ${values.seed}`);
    for (const [what, count] of Object.entries(counts)) console.log(`${what}: ${count}`);
    console.log("torn records: 0\nlost mutations: 0\ndamaged sessions: 0");
  };
  const [kills, dice] = [Number(values.kills), random(Number(values.seed))];
  return { kills, codex: values.codex, dice, summary };
}

const encoder = new TextEncoder();

/** The ops, and what they leave. */
export const MARKERS = {
  "consume-light": { output: "...(consumed)" },
  "consume-heavy": { output: "...(tool called)", arguments: "{}" },
} as const;

/** How a call is consumed. */
export type Op = keyof typeof MARKERS;

/** What a call may be found as: never consumed, or consumed by one of the ops. */
export type CallState = "whole" | Op;

/**
 * One call's history since it was last looked at. What was acknowledged must be there; of what was asked
 * after that, any may be.
 */
export class Expectation {
  #possible: CallState[];
  /** Index in `#possible` of the newest state that was acknowledged. */
  #acknowledged = 0;

  constructor(state: CallState) {
    this.#possible = [state];
  }

  /** The op is asked for; returns what to call when it is acknowledged. */
  ask(op: Op): () => void {
    const index = this.#possible.push(op) - 1;
    return () => this.#acknowledged = Math.max(this.#acknowledged, index);
  }

  /** Throws where `state` is not possible; else it is what counts from now on. */
  settle(id: string, state: CallState): void {
    const possible = this.#possible.slice(this.#acknowledged);
    if (!possible.includes(state)) {
      throw new Error(`${id} is ${state}, after ${this.#possible}: must be one of ${possible}`);
    }
    this.#possible = [state];
    this.#acknowledged = 0;
  }
}

const THREAD = "01a2033a-d01e-7bf0-9b35-c536ac582262";

/**
 * A session whose every byte is known. The codex home has one thread, started in the workspace; its id lies
 * there in the session file, so the plugin takes it over without a turn. Each call has a record of its
 * arguments and one of its output.
 */
export class Victim {
  readonly path: string;
  readonly calls: string[];
  readonly #lines: string[] = [];
  /** Index of the line, by `<call id> <field>`. */
  readonly #at = new Map<string, number>();

  constructor({ codexHome, workspace }: Sandbox, calls: number) {
    this.calls = Array.from({ length: calls }, (_, i) => `call_${i}`);
    this.#add("session_meta", { id: THREAD, cwd: Deno.realPathSync(workspace) });
    for (const [i, id] of this.calls.entries()) {
      const args = JSON.stringify({ cmd: `seq ${i} # ${"x".repeat(i % 90)}` });
      this.#at.set(`${id} arguments`, this.#lines.length);
      this.#add("response_item", {
        type: "function_call",
        name: "shell",
        arguments: args,
        call_id: id,
      });
      const output = `out of ${id}: ${'é "quoted"\n'.repeat(3 + (i * 37) % 900)}`;
      this.#at.set(`${id} output`, this.#lines.length);
      this.#add("response_item", { type: "function_call_output", call_id: id, output });
    }
    const directory = join(codexHome, "sessions/2026/11/22");
    Deno.mkdirSync(directory, { recursive: true });
    this.path = join(directory, `rollout-2026-11-22T12-28-35-${THREAD}.jsonl`);
    Deno.writeTextFileSync(this.path, this.#lines.join("\n") + "\n");
    Deno.writeTextFileSync(join(workspace, SESSION_FILE), THREAD);
  }

  /** What each call is now. Throws where a byte is neither of the old record nor of a new one. */
  states(): Map<string, CallState> {
    const lines = Deno.readTextFileSync(this.path).split("\n");
    if (lines.pop() !== "" || lines.length !== this.#lines.length) {
      throw new Error(`${this.path} has ${lines.length} lines instead of ${this.#lines.length}`);
    }
    if (lines[0] !== this.#lines[0]) throw new Error("the session_meta has changed");
    return new Map(this.calls.map((id) => [id, this.#stateOf(id, lines)]));
  }

  #stateOf(id: string, lines: string[]): CallState {
    const [args, output] = [
      this.#markerIn(id, "arguments", lines),
      this.#markerIn(id, "output", lines),
    ];
    if (args === undefined && output === undefined) return "whole";
    // A light consume after a heavy one leaves the arguments consumed.
    if (output === MARKERS["consume-light"].output) return "consume-light";
    const heavy = MARKERS["consume-heavy"];
    if (args === heavy.arguments && output === heavy.output) return "consume-heavy";
    throw new Error(`${id} is consumed by half: ${args}, ${output}`);
  }

  /** The marker that stands in a record; `undefined` where the record is as it was. */
  #markerIn(id: string, field: "arguments" | "output", lines: string[]): string | undefined {
    const at = this.#at.get(`${id} ${field}`) ?? -1;
    if (lines[at] === this.#lines[at]) return undefined;
    const markers = field === "arguments"
      ? ["{}"]
      : Object.values(MARKERS).map((all) => all.output);
    const marker = markers.find((text) => lines[at] === this.#consumed(at, field, text));
    if (marker === undefined) throw new Error(`The ${field} of ${id} is torn: ${lines[at]}`);
    return marker;
  }

  #consumed(at: number, field: string, marker: string): string {
    const old = this.#lines[at] ?? "";
    const record = JSON.parse(old);
    record.payload[field] = marker;
    const line = JSON.stringify(record);
    return line + " ".repeat(byteLength(old) - byteLength(line));
  }

  #add(type: string, payload: Record<string, unknown>): void {
    const ordinal = this.#lines.length;
    const timestamp = "2026-11-22T12:28:35.745Z";
    this.#lines.push(JSON.stringify({ timestamp, ordinal, type, payload }));
  }
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/**
 * A session that a real codex writes: a line that was on disk stays for ever, at its place and as it was,
 * except for what was consumed of it.
 */
export class GrowingSession {
  readonly path: string;
  #lines: string[] = [];
  /** Ids that may have been consumed. */
  readonly #asked = new Set<string>();
  /** Ids that must be consumed, because it was acknowledged. */
  readonly #acknowledged = new Set<string>();

  constructor(path: string) {
    this.path = path;
  }

  get lines(): number {
    return this.#lines.length;
  }
  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** A light consume of these ids is asked for; call the result when it is acknowledged. */
  ask(ids: string[]): () => void {
    for (const id of ids) this.#asked.add(id);
    return () => ids.forEach((id) => this.#acknowledged.add(id));
  }

  /** Throws where a line was lost, torn or changed by more than a consume that was asked for. */
  check(): void {
    const lines = Deno.readTextFileSync(this.path).split("\n");
    const rest = lines.pop() ?? "";
    assert.ok(lines.length >= this.#lines.length, "lines were lost");
    for (const [i, line] of lines.entries()) {
      JSON.parse(line);
      const before = this.#lines[i];
      if (before === undefined || before === line) continue;
      assert.equal(byteLength(line), byteLength(before), line);
      const [item] = callItemsIn(encoder.encode(line));
      assert.ok(item !== undefined && this.#asked.has(item.callId), `line ${i} changed: ${line}`);
      assert.deepEqual(JSON.parse(line), consumed(JSON.parse(before)));
    }
    assert.equal(rest, "", "nobody writes now, and the last line is whole");
    this.#lines = lines;
  }

  /** Throws where something that was acknowledged is not consumed. */
  checkAcknowledged(): void {
    for (const line of this.#lines) {
      const { payload } = JSON.parse(line);
      if (payload?.type !== "function_call_output") continue;
      const { call_id: id, output } = payload;
      if (this.#acknowledged.has(id)) assert.equal(output, "...(consumed)", `${id} is lost`);
    }
  }

  /** Ids of recorded outputs that nobody asked to consume yet. */
  whole(): string[] {
    return this.#lines.flatMap((line) => {
      const { payload } = JSON.parse(line);
      const isOutput = payload?.type === "function_call_output";
      return isOutput && !this.#asked.has(payload.call_id) ? [String(payload.call_id)] : [];
    });
  }
}

function consumed(record: { payload: Record<string, unknown> }): unknown {
  return { ...record, payload: { ...record.payload, output: "...(consumed)" } };
}

/**
 * One turn as the host sees it. Every rule that docs/protocol.md states for the events of a turn is
 * checked while they come in: numbers without gaps, `message_start` first, calls in order and each
 * once, `message_end` once and last, the result equal to it.
 */
import { strict as assert } from "node:assert";
import type { StreamEvent, StreamResult } from "../../plugin/protocol.ts";
import { within } from "./deadline.ts";
import { show } from "./wire.ts";

/** The events of one type. */
export type EventOf<T extends StreamEvent["type"]> = Extract<StreamEvent, { type: T }>;

/** A turn that was asked for; the host feeds it. */
export class Turn {
  readonly id: number;
  /** All events so far. */
  readonly seen: StreamEvent[] = [];
  readonly #answer = Promise.withResolvers<StreamResult>();
  readonly #watchers = new Set<() => void>();
  readonly #describe: () => string;
  readonly #pastCalls: Set<string>;
  readonly #calls = new Map<string, { ended: boolean; results: number }>();
  #textIndex = -1;
  readonly #retracted = new Set<number>();
  readonly #cancel: (reason: string) => Promise<void>;
  #failure: Error | undefined;
  #answered = false;
  #cancelled = false;

  constructor(options: {
    id: number;
    /** Call ids of earlier turns, as `thread/id`: none may come twice in the life of a thread. */
    pastCalls: Set<string>;
    cancel: (reason: string) => Promise<void>;
    describe: () => string;
  }) {
    this.id = options.id;
    this.#pastCalls = options.pastCalls;
    this.#cancel = options.cancel;
    this.#describe = options.describe;
    this.#answer.promise.catch(() => {}); // nobody has to ask for the result
  }

  /** The answer to the request. A cancelled turn has none: then this rejects. */
  get result(): Promise<StreamResult> {
    return within(this.#answer.promise, `the result of turn ${this.id}`, () => this.story());
  }

  /** The events from the first to the last, each as soon as it is there. */
  get events(): AsyncIterable<StreamEvent> {
    return this.#iterate();
  }

  /** All text so far, as a person reads it, without what was retracted. */
  get text(): string {
    return this.of("text_delta").filter(({ index }) => !this.#retracted.has(index))
      .map((event) => event.text).join("");
  }

  /** The events of one type so far. */
  of<T extends StreamEvent["type"]>(type: T): EventOf<T>[] {
    return this.seen.filter((event): event is EventOf<T> => event.type === type);
  }

  /** The first event of that type, past or future. Rejects when the turn ends without one. */
  async until<T extends StreamEvent["type"]>(
    type: T,
    fits: (event: EventOf<T>) => boolean = () => true,
  ): Promise<EventOf<T>> {
    for await (const _ of this.events) {
      const found = this.of(type).find(fits);
      if (found) return found;
    }
    throw new Error(
      `Turn ${this.id} ended without the ${type} that was waited for.\n${this.story()}`,
    );
  }

  /** The last event. Rejects when the turn could not start. */
  end(): Promise<EventOf<"message_end">> {
    return this.until("message_end");
  }

  /** Asks the plugin to stop this turn. */
  cancel(reason = "the test says so"): Promise<void> {
    this.#cancelled = true;
    return this.#cancel(reason);
  }

  /** What happened so far, for messages. */
  story(): string {
    const events = this.seen.map((event, seq) => `  ${seq} ${show(event)}`);
    return [`Events of turn ${this.id}:`, ...events, this.#describe()].join("\n");
  }

  /** Takes an event in. Called by the host. */
  receive(seq: number, event: StreamEvent): void {
    assert.equal(seq, this.seen.length, `turn ${this.id}: events must be numbered without gaps`);
    assert.notEqual(
      this.seen.at(-1)?.type,
      "message_end",
      `event after message_end: ${show(event)}`,
    );
    const stillborn = event.type === "message_end" && event.stop_reason === "cancelled";
    assert.equal(
      event.type === "message_start",
      seq === 0 && !stillborn,
      `message_start is first: ${show(event)}`,
    );
    const nameless = event.type === "message_end" && event.thread_id === "";
    assert.ok(!nameless || seq === 0, `a turn that started has a thread: ${show(event)}`);
    assert.ok(!this.#answered, `event after the result: ${show(event)}`);
    if (this.seen.at(-1)?.type === "error") assert.equal(event.type, "message_end");
    this.#checkText(event);
    this.#checkCall(event);
    this.seen.push(event);
    this.#wake();
  }

  /** Takes the result in. Called by the host. */
  answer(result: StreamResult): void {
    this.#answered = true;
    const end = this.seen.at(-1);
    const silent = this.#cancelled && result.stop_reason === "cancelled";
    assert.ok(!silent, `a cancelled request has no response (turn ${this.id})`);
    assert.ok(end?.type === "message_end", "the result comes after message_end");
    assert.deepEqual({ type: "message_end", ...result }, end, "the result repeats message_end");
    this.#answer.resolve(result);
    this.#wake();
  }

  /** Ends the waiting: the request failed, was cancelled, or the plugin is gone. Called by the host. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#answer.reject(error);
    this.#wake();
  }

  #checkText(event: StreamEvent): void {
    if (event.type === "text_retracted") {
      assert.ok(event.index <= this.#textIndex, `nothing was told: ${show(event)}`);
      assert.ok(!this.#retracted.has(event.index), `retracted twice: ${show(event)}`);
      this.#retracted.add(event.index);
    }
    if (event.type === "text_delta") {
      assert.ok(!this.#retracted.has(event.index), `a piece of what is void: ${show(event)}`);
    }
    if (event.type !== "text_delta" || event.index === this.#textIndex) return;
    assert.equal(event.index, this.#textIndex + 1, `text index jumps: ${show(event)}`);
    this.#textIndex = event.index;
    if (event.index > 0) assert.ok(event.text.startsWith("\n\n"), `no blank line: ${show(event)}`);
  }

  #checkCall(event: StreamEvent): void {
    if (event.type === "tool_call_start") {
      const start = this.seen[0];
      const key = `${start?.type === "message_start" ? start.thread_id : ""}/${event.id}`;
      assert.ok(!this.#pastCalls.has(key), `call came before: ${show(event)}`);
      this.#pastCalls.add(key);
      this.#calls.set(event.id, { ended: false, results: 0 });
    } else if (event.type === "tool_call_end") {
      const call = this.#calls.get(event.id);
      assert.ok(call?.ended === false, `call must have started, and not ended: ${show(event)}`);
      call.ended = true;
    } else if (event.type === "tool_result") {
      const call = this.#calls.get(event.id);
      assert.ok(call?.ended, `result before the end of its call: ${show(event)}`);
      const part = event.part ?? 0;
      assert.equal(part, call.results, `one result, or parts from 0: ${show(event)}`);
      call.results += 1;
    } else if (event.type === "message_end") {
      const open = [...this.#calls].filter(([, call]) => !call.ended || call.results === 0);
      assert.deepEqual(open, [], "every call has its end and a result before message_end");
    }
  }

  async *#iterate(): AsyncGenerator<StreamEvent> {
    for (let at = 0;; at += 1) {
      while (at >= this.seen.length && !this.#over) await this.#next();
      const event = this.seen[at];
      if (event) yield event;
      else if (this.#failure && this.seen.at(-1)?.type !== "message_end") throw this.#failure;
      else return;
    }
  }

  get #over(): boolean {
    return this.#failure !== undefined || this.seen.at(-1)?.type === "message_end";
  }

  #next(): Promise<void> {
    const changed = new Promise<void>((resolve) => this.#watchers.add(resolve));
    return within(changed, `an event of turn ${this.id}`, () => this.story());
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

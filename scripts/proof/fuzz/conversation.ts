/**
 * What a conversation of frames must look like from outside: every frame that goes out is a frame,
 * and whatever asked properly got one answer.
 */
import { strict as assert } from "node:assert";
import {
  checkEventParams,
  checkFrame,
  checkLog,
  isObject,
  show,
} from "../../../tests/support/wire.ts";

/** Bytes answered for each byte asked. What a host sends may be quoted, but only in part. */
const GROWTH = 4;
const GROWTH_FREE = 256 * 1024;

/** What is expected of the answers to these bytes, read as the protocol says. */
export interface Expected {
  /** Ids of requests, each with the number of its requests; these are answered. */
  asked: Map<string, number>;
  /** Ids in frames that are no requests, each with their number; these may be answered. */
  named: Map<string, number>;
  /** Lines that are answered with `id: null`, at most. */
  broken: number;
  bytes: number;
  /** Ids that the bytes cancel: these need no answer. */
  cancelled: Set<string>;
}

/** Reads what was sent, by other means than the plugin's. */
export function expectedOf(sent: Uint8Array): Expected {
  const expected: Expected = {
    asked: new Map(),
    named: new Map(),
    broken: 0,
    bytes: sent.length,
    cancelled: new Set(),
  };
  for (const line of wholeLines(sent)) {
    const frame = parsed(line);
    if (frame === BLANK) continue;
    if (!isObject(frame) || typeof frame.method !== "string") {
      expected.broken++;
      if (isObject(frame) && isUsableId(frame.id)) add(expected.named, frame.id);
    } else if ("id" in frame) {
      if (!isUsableId(frame.id)) expected.broken++;
      else add(expected.asked, frame.id);
    } else if (frame.method === "notifications/cancelled" && isObject(frame.params)) {
      expected.cancelled.add(keyOf(frame.params.requestId));
    }
  }
  return expected;
}

/** Checks what the plugin sent while `expected` was asked. */
export class Answers {
  readonly #expected: Expected;
  readonly #answered = new Map<string, number>();
  #broken = 0;
  #bytes = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  /** Ids that have no answer yet, and must get one. */
  get missing(): string[] {
    const { asked, cancelled } = this.#expected;
    return [...asked].filter(([key, count]) =>
      (this.#answered.get(key) ?? 0) < count && !cancelled.has(key)
    ).map(([key]) => key);
  }

  /** One line of what was sent, without its newline. */
  take(line: string): void {
    this.#bytes += line.length;
    const limit = this.#expected.bytes * GROWTH + GROWTH_FREE;
    assert.ok(this.#bytes <= limit, `answered ${this.#bytes} bytes, limit ${limit}`);
    const frame: unknown = JSON.parse(line);
    // A host may choose fractions; the reference host never would.
    const strange = isObject(frame) && typeof frame.id === "number" && isUsableId(frame.id);
    checkFrame(strange ? { ...frame, id: 0 } : frame);
    if (!isObject(frame)) return;
    const { id, method, params } = frame;
    if (method === "notifications/message") checkLog(params);
    else if (method === "notifications/plexum/provider/event") checkEventParams(params);
    else if (method !== undefined) assert.fail(`the plugin says ${show(frame)}`);
    else if (id === null) this.#broken++;
    else {
      const key = keyOf(id);
      const count = (this.#answered.get(key) ?? 0) + 1;
      this.#answered.set(key, count);
      const { asked, named } = this.#expected;
      const allowed = (asked.get(key) ?? 0) + (named.get(key) ?? 0);
      assert.ok(count <= allowed, `an answer that nobody asked for: ${show(frame)}`);
    }
  }

  /** Everything was sent, and the plugin has nothing left to do. */
  end(): void {
    assert.deepEqual(this.missing, [], "every request has its answer");
    const { broken } = this.#expected;
    assert.ok(this.#broken <= broken, `${this.#broken} frames refused, ${broken} were broken`);
  }
}

/** What an id must be so that it can come back as it was. */
function isUsableId(id: unknown): boolean {
  return typeof id === "string" ||
    (typeof id === "number" && Math.abs(id) <= Number.MAX_SAFE_INTEGER);
}

/** One more frame with this id. */
export function add(count: Map<string, number>, id: unknown): void {
  count.set(keyOf(id), (count.get(keyOf(id)) ?? 0) + 1);
}

function keyOf(id: unknown): string {
  return typeof id === "string" || typeof id === "number" ? JSON.stringify(id) : "none";
}

const BLANK = Symbol("blank");
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The value of a line; `undefined` where it is no JSON in UTF-8. */
function parsed(line: Uint8Array): unknown {
  try {
    const text = decoder.decode(line);
    return text.trim() === "" ? BLANK : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* wholeLines(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

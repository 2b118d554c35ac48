/**
 * A JSON-RPC 2.0 stream line by line: what a line is that came in (pure; nothing that a sender can
 * write makes it throw), and how frames go out.
 *
 * @module
 */
import { errorMessage } from "../error_message.ts";
import { found, isDeeper, isObject } from "../json_object.ts";
import { joinBytes } from "../lines.ts";
import { RawJson, stringify } from "../raw_json.ts";

/** A request's id, as its sender chose it. */
export type RequestId = string | number;

/** Levels of lists and objects that a result or an error may have. */
export const MAX_DEPTH = 1000;

/** What a line is. */
export type Frame =
  | { type: "request"; id: RequestId; method: string; params: unknown; whole: RawJson }
  | { type: "notification"; method: string; params: unknown }
  | { type: "response"; id: unknown; result: RawJson; error?: undefined }
  | { type: "response"; id: unknown; error: RpcError }
  /** Whitespace only. */
  | { type: "blank" }
  /** To be answered with this error; `id` is `null` where the frame gave none that can be used. */
  | { type: "broken"; id: RequestId | null; error: RpcError };

/** A byte order mark before the first frame is taken off, as RFC 8259 allows. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a line without its newline. */
export function decodeFrame(bytes: Uint8Array): Frame {
  let value: unknown;
  let text: string;
  try {
    text = decoder.decode(bytes);
    if (text.trim() === "") return { type: "blank" };
    value = JSON.parse(text);
  } catch (error) {
    const message = `cannot parse frame of ${bytes.length} bytes: ${errorMessage(error)}`;
    return { type: "broken", id: null, error: new RpcError(RPC_CODE.parse, message) };
  }
  if (Array.isArray(value)) {
    return invalid(null, "batches are not supported: send one object per line");
  }
  if (!isObject(value)) {
    return invalid(null, `a frame must be a JSON object, found ${found(value)}`);
  }
  return frameOf(value, new RawJson(text));
}

/** The id, where it is one that can be sent back as it came. */
export function requestId(value: unknown): RequestId | undefined {
  if (typeof value === "string") return value;
  // JSON.parse rounds larger numbers: an answer would carry an id that nobody asked with.
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER
    ? value
    : undefined;
}

function frameOf(value: Record<string, unknown>, whole: RawJson): Frame {
  const { method, params, error } = value;
  const id = requestId(value.id);
  if (typeof method === "string") {
    if (!("id" in value)) return { type: "notification", method, params };
    if (id !== undefined) return { type: "request", id, method, params, whole };
    return invalid(null, `an id must be text or a number up to 2^53, found ${found(value.id)}`);
  }
  // Some libraries write `"error": null` beside a result.
  if (error !== undefined && error !== null) {
    return { type: "response", id: value.id, error: answeredError(error) };
  }
  const result = whole.member("result");
  if (result !== undefined) {
    if (!isDeeper(value.result, MAX_DEPTH)) return { type: "response", id: value.id, result };
    const message = `the answer is nested more than ${MAX_DEPTH} levels deep`;
    return { type: "response", id: value.id, error: new RpcError(RPC_CODE.internal, message) };
  }
  return invalid(id ?? null, "a frame needs a method, a result or an error");
}

function answeredError(error: unknown): RpcError {
  const { code, message, data } = isObject(error) ? error : {};
  return new RpcError(
    typeof code === "number" ? code : RPC_CODE.internal,
    typeof message === "string" ? message : "error without a message",
    isDeeper(data, MAX_DEPTH) ? undefined : data,
  );
}

function invalid(id: RequestId | null, message: string): Frame {
  return { type: "broken", id, error: new RpcError(RPC_CODE.invalidRequest, message) };
}

/** JSON-RPC's own error codes. */
export const RPC_CODE = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
} as const;

/** A failure that travels as a JSON-RPC error object. */
export class RpcError extends Error {
  override name = "RpcError";
  constructor(readonly code: number, message: string, readonly data?: unknown) {
    super(message);
  }
}

/*
 * The outgoing side of a JSON-RPC stream: frames are queued, never interleaved, and written together
 * when the reader is slower than we are.
 */

/** How many bytes may wait for a slow reader. */
export interface WriterLimits {
  /** Beyond this, {@link FrameWriter.send} asks its caller to slow down. */
  highWater: number;
  /** Beyond this, {@link FrameWriter.room} says that nothing more should be taken on. */
  backlog: number;
}

const LIMITS: WriterLimits = { highWater: 256 * 1024, backlog: 64 * 1024 * 1024 };

/** Frames that are written together. */
class Batch {
  readonly parts: Uint8Array[] = [];
  readonly written: PromiseWithResolvers<void> = Promise.withResolvers();
  bytes = 0;
}

/** Serialises frames onto one byte sink. */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #limits: WriterLimits;
  readonly #asText: (frame: unknown) => string;
  readonly #encoder = new TextEncoder();
  #waiting = new Batch();
  #flushing: Promise<void> | undefined;
  #failure: unknown;

  /**
   * @param write Writes all the bytes it is given, or rejects; called by one caller at a time.
   * @param asText Writes a frame as one line of JSON.
   */
  constructor(
    write: (bytes: Uint8Array) => Promise<void>,
    limits: WriterLimits = LIMITS,
    asText: (frame: unknown) => string = stringify,
  ) {
    this.#write = write;
    this.#limits = limits;
    this.#asText = asText;
  }

  /**
   * Queues one frame. Resolves at once while the reader keeps up; with more than `highWater` bytes
   * waiting, when this frame has been written: whoever awaits it passes the reader's pace on to
   * whatever produces the frames. Never rejects: a dead reader is the stream's end, see `failure`.
   */
  send(frame: unknown): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    const bytes = this.#encoder.encode(this.#asText(frame) + "\n");
    const batch = this.#waiting;
    batch.parts.push(bytes);
    batch.bytes += bytes.length;
    this.#flushing ??= this.#flush();
    return batch.bytes > this.#limits.highWater ? batch.written.promise : Promise.resolve();
  }

  /** Resolves at once, or with more than `backlog` bytes waiting, when they have been written. */
  async room(): Promise<void> {
    if (this.#waiting.bytes > this.#limits.backlog) await this.#waiting.written.promise;
  }

  /** Resolves when everything queued so far has been written, or can never be. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  /** Why the sink no longer takes anything; `undefined` while it does. */
  get failure(): unknown {
    return this.#failure;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.parts.length > 0) {
      const batch = this.#waiting;
      this.#waiting = new Batch();
      try {
        if (this.#failure === undefined) await this.#write(joined(batch.parts));
      } catch (error) {
        this.#failure = error;
      } finally {
        batch.written.resolve();
      }
    }
    this.#flushing = undefined;
  }
}

/** One part is written as it is. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : joinBytes(parts);
}

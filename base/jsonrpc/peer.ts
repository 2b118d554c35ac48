/**
 * One end of a JSON-RPC 2.0 conversation over byte streams, requests and notifications both ways.
 *
 * Not the MCP SDK's `Protocol`: its read buffer cannot name a broken frame to the sender (-32700),
 * it has no frame limit that the connection survives, it gives every request of ours a timeout, and
 * loading it would double the time from start to the `initialize` answer.
 *
 * A request that its sender cancels (`notifications/cancelled`) gets no response, as MCP says, unless the
 * cancel came too late to stop anything.
 *
 * @module
 */
import { errorMessage } from "../error_message.ts";
import { LineSplitter } from "../lines.ts";
import type { RawJson } from "../raw_json.ts";
import {
  decodeFrame,
  type Frame,
  type FrameWriter,
  type RequestId,
  requestId,
  RPC_CODE,
  RpcError,
} from "./frame.ts";

export type { RequestId } from "./frame.ts";
export { RPC_CODE, RpcError } from "./frame.ts";

/** What a request handler gets besides the params. */
export interface RequestContext {
  id: RequestId;
  /** Aborts when the sender cancels the request or the connection ends. */
  signal: AbortSignal;
  /** The cancel, if there was one, came too late: the sender is answered all the same. */
  tooLate(): void;
  /** The frame as it was written. */
  whole: RawJson;
}

/** What one end takes on. */
export interface PeerLimits {
  /** Longest frame, in bytes without its newline. */
  frameBytes: number;
  /** Requests of the other side that may run at once. */
  requests: number;
  /** What is answered to one more. */
  busy(message: string): RpcError;
}

/** The local side of the conversation. */
export interface Handlers {
  /** Returns the result; throws {@link RpcError} for an error the sender should see. */
  request(method: string, params: unknown, context: RequestContext): Promise<unknown>;
  notification(method: string, params: unknown): void;
  /** What is odd but not fatal: an unmatched response, a handler that threw. */
  note(message: string, data?: Record<string, unknown>): void;
}

/** A live JSON-RPC connection. */
export class Peer {
  readonly #writer: FrameWriter;
  readonly #handlers: Handlers;
  readonly #limits: PeerLimits;
  readonly #lines: LineSplitter;
  readonly #running = new Map<RequestId, AbortController>();
  readonly #outgoing: OutgoingRequests;
  #closed: string | undefined;

  constructor(writer: FrameWriter, handlers: Handlers, limits: PeerLimits) {
    this.#writer = writer;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#lines = new LineSplitter(limits.frameBytes);
    this.#outgoing = new OutgoingRequests((frame) => void this.#send(frame));
  }

  /** Reads frames until the input ends or fails, then {@link close}s. Never rejects. */
  async run(input: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of input) await this.take(chunk);
      if (this.#lines.end() !== undefined) this.#handlers.note("input ended inside a frame");
    } catch (error) {
      this.#handlers.note("input failed", { error: errorMessage(error) });
    } finally {
      this.close("the connection ended");
    }
  }

  /** Takes bytes in, until the next chunk may come: who asks and reads no answer has to wait. */
  async take(chunk: Uint8Array): Promise<void> {
    for (const line of this.#lines.push(chunk)) {
      if (line.overlong === undefined) this.#receive(decodeFrame(line.bytes));
      else this.#receive(overlong(line.overlong, this.#limits.frameBytes));
      await undefined; // Short requests get done, and do not count as running, meanwhile.
    }
    await this.#writer.room();
  }

  /** Sends a notification; resolves as {@link FrameWriter.send} does. */
  notify(method: string, params: unknown): Promise<void> {
    return this.#send({ method, params });
  }

  /** Sends a request; see {@link OutgoingRequests.request}. */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<RawJson> {
    return this.#outgoing.request(method, params, signal);
  }

  /**
   * Ends the conversation: what we asked is taken back and rejected, what we were asked is aborted, and
   * what still comes in is refused. Idempotent.
   */
  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#outgoing.end(new Error(reason));
    for (const controller of this.#running.values()) controller.abort(reason);
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case "blank":
        return;
      case "broken":
        this.#handlers.note("a frame was refused", { error: frame.error.message });
        return this.#refuse(frame.id, frame.error);
      case "request":
        return void this.#serve(frame);
      case "notification":
        return this.#take(frame);
      case "response":
        if (this.#outgoing.settle(frame.id, frame.error ?? frame.result)) return;
        // A late answer to something we cancelled looks like this too.
        return this.#handlers.note("response without a request", { id: frame.id });
    }
  }

  #take({ method, params }: Extract<Frame, { type: "notification" }>): void {
    if (method === CANCELLED) return this.#cancel(params);
    try {
      this.#handlers.notification(method, params);
    } catch (error) {
      this.#handlers.note("a notification handler failed", { method, error: errorMessage(error) });
    }
  }

  #cancel(params: unknown): void {
    const { requestId: named, request_id, reason } = Object(params) as Record<string, unknown>;
    const id = requestId(named ?? request_id);
    // An unknown id has ended already: a no-op, says the protocol.
    const controller = id === undefined ? undefined : this.#running.get(id);
    controller?.abort(typeof reason === "string" ? reason : "cancelled by the host");
  }

  async #serve({ id, method, params, whole }: Extract<Frame, { type: "request" }>): Promise<void> {
    const obstacle = this.#obstacle(id);
    if (obstacle !== undefined) return this.#refuse(id, obstacle);
    const controller = new AbortController();
    const { signal } = controller;
    let isTooLate = false;
    const tooLate = () => void (isTooLate = true);
    this.#running.set(id, controller);
    try {
      const context = { id, signal, tooLate, whole };
      const result = await this.#handlers.request(method, params, context);
      if (!signal.aborted || isTooLate) void this.#send({ id, result });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof RpcError) return this.#refuse(id, error);
      this.#handlers.note("a request handler failed", { method, error: errorMessage(error) });
      this.#refuse(id, new RpcError(RPC_CODE.internal, `${method}: ${errorMessage(error)}`));
    } finally {
      this.#running.delete(id);
    }
  }

  /** Why a request cannot be served at all. */
  #obstacle(id: RequestId): RpcError | undefined {
    if (this.#closed !== undefined) return new RpcError(RPC_CODE.internal, this.#closed);
    if (this.#running.has(id)) {
      const message = `id ${JSON.stringify(id)} is already in use by a running request`;
      return new RpcError(RPC_CODE.invalidRequest, message);
    }
    if (this.#running.size < this.#limits.requests) return undefined;
    const message = `${this.#running.size} requests are running already: wait for one to end`;
    return this.#limits.busy(message);
  }

  #refuse(id: RequestId | null, { code, message, data }: RpcError): void {
    void this.#send({ id, error: { code, message, data } });
  }

  #send(frame: Record<string, unknown>): Promise<void> {
    return this.#writer.send({ jsonrpc: "2.0", ...frame });
  }
}

function overlong(bytes: number, limit: number): Frame {
  const message = `frame of ${bytes} bytes is over the limit of ${limit} bytes`;
  return { type: "broken", id: null, error: new RpcError(RPC_CODE.parse, message) };
}

/*
 * The requests that we have sent and that wait for their answers.
 */

interface Waiting {
  resolve(result: RawJson): void;
  reject(error: Error): void;
}

/** How either side takes back a request, as MCP has it: `params.requestId`. */
const CANCELLED = "notifications/cancelled";

/** Sends requests and gives each its answer, in whatever order the answers come. */
class OutgoingRequests {
  readonly #send: (frame: Record<string, unknown>) => void;
  readonly #waiting = new Map<unknown, Waiting>();
  #nextId = 1;
  #ended: Error | undefined;

  /** @param send Takes a frame without its `jsonrpc` field. */
  constructor(send: (frame: Record<string, unknown>) => void) {
    this.#send = send;
  }

  /**
   * Sends a request and waits for its result, as it was written. When `signal` aborts, the receiver is told with
   * `notifications/cancelled` and the promise rejects at once. Rejects with {@link RpcError} for an
   * error answer and with a plain Error when the connection ends first.
   */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<RawJson> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (signal?.aborted) {
      return Promise.reject(new Error(`request ${method} was cancelled before it was sent`));
    }
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<RawJson>();
    const cancel = () => {
      this.#waiting.delete(id);
      const reason = errorMessage(signal?.reason ?? "cancelled");
      this.#send({ method: CANCELLED, params: { requestId: id, reason } });
      reject(new Error(`request ${method} was cancelled: ${reason}`));
    };
    signal?.addEventListener("abort", cancel, { once: true });
    const settled = () => signal?.removeEventListener("abort", cancel);
    this.#waiting.set(id, {
      resolve: (result) => (settled(), resolve(result)),
      reject: (error) => (settled(), reject(error)),
    });
    this.#send({ id, method, params });
    return promise;
  }

  /** Takes an answer in. False when nothing waits for it, e.g. because it was cancelled. */
  settle(id: unknown, answer: RawJson | RpcError): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    this.#waiting.delete(id);
    if (answer instanceof RpcError) waiting.reject(answer);
    else waiting.resolve(answer);
    return true;
  }

  /** Takes back and rejects everything that waits; rejects every request from now on. */
  end(reason: Error): void {
    this.#ended = reason;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [id, { reject }] of waiting) {
      this.#send({ method: CANCELLED, params: { requestId: id, reason: reason.message } });
      reject(reason);
    }
  }
}

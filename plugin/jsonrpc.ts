/**
 * One end of a JSON-RPC 2.0 conversation over byte streams, requests and notifications both ways.
 *
 * Not the MCP SDK's `Protocol`: its read buffer cannot name a broken frame to the sender (-32700),
 * it has no frame limit that the connection survives, it gives every request of ours a timeout, and
 * loading it would double the time from start to the `initialize` answer.
 *
 * A request that its sender cancels (`notifications/cancelled`) gets no response, as MCP says.
 *
 * @module
 */
import { LineSplitter } from "../rollout/lines.ts";
import { errorMessage } from "./error_message.ts";
import type { FrameWriter } from "./frame_writer.ts";
import { CODE, MAX_FRAME_BYTES, METHOD } from "./protocol.ts";

/** A request's id, as its sender chose it. */
export type RequestId = string | number;

/** A failure that travels as a JSON-RPC error object. */
export class RpcError extends Error {
  override name = "RpcError";
  constructor(readonly code: number, message: string, readonly data?: unknown) {
    super(message);
  }
}

/** What a request handler gets besides the params. */
export interface RequestContext {
  id: RequestId;
  /** Aborts when the sender cancels the request or the connection ends. */
  signal: AbortSignal;
}

/** The local side of the conversation. */
export interface Handlers {
  /** Returns the result; throws {@link RpcError} for an error the sender should see. */
  request(method: string, params: unknown, context: RequestContext): Promise<unknown>;
  notification(method: string, params: unknown): void;
  /** What is odd but not fatal: an unmatched response, a handler that threw. */
  note(message: string, data?: Record<string, unknown>): void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

type Frame = Record<string, unknown>;

/** A live JSON-RPC connection. */
export class Peer {
  readonly #writer: FrameWriter;
  readonly #handlers: Handlers;
  readonly #inbound = new Map<RequestId, AbortController>();
  readonly #outbound = new Map<number, Pending>();
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #nextId = 1;
  #closed: Error | undefined;

  constructor(writer: FrameWriter, handlers: Handlers) {
    this.#writer = writer;
    this.#handlers = handlers;
  }

  /** Reads frames until the input ends, then {@link close}s. */
  async run(input: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = new LineSplitter(MAX_FRAME_BYTES);
    try {
      for await (const chunk of input) {
        for (const line of lines.push(chunk)) {
          if (line.overlong !== undefined) {
            this.#refuse(
              null,
              CODE.parse,
              `frame of ${line.overlong} bytes is over the limit of ${MAX_FRAME_BYTES} bytes`,
            );
          } else this.#receive(line.bytes);
        }
      }
      const rest = lines.end();
      if (rest !== undefined) this.#handlers.note("input ended inside a frame");
    } finally {
      this.close("the connection ended");
    }
  }

  /** Sends a notification; resolves as {@link FrameWriter.send} does. */
  notify(method: string, params: unknown): Promise<void> {
    return this.#writer.send({ jsonrpc: "2.0", method, params });
  }

  /**
   * Sends a request and waits for its result. When `signal` aborts, the receiver is told with
   * `notifications/cancelled` and the promise rejects. Rejects with {@link RpcError} for an error
   * answer and with a plain Error when the connection ends first.
   */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = () => {
        if (!this.#outbound.delete(id)) return;
        const reason = String(signal?.reason ?? "cancelled");
        this.notify(METHOD.cancelled, { requestId: id, reason });
        reject(new Error(`request ${method} was cancelled: ${reason}`));
      };
      if (signal?.aborted) {
        return reject(new Error(`request ${method} was cancelled before it was sent`));
      }
      signal?.addEventListener("abort", cancel, { once: true });
      const settled = () => signal?.removeEventListener("abort", cancel);
      this.#outbound.set(id, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (error) => (settled(), reject(error)),
      });
      this.#writer.send({ jsonrpc: "2.0", id, method, params });
    });
  }

  /** Ends the conversation: what we asked is rejected, what we were asked is aborted. Idempotent. */
  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = new Error(reason);
    for (const pending of this.#outbound.values()) pending.reject(this.#closed);
    this.#outbound.clear();
    for (const controller of this.#inbound.values()) controller.abort(reason);
  }

  #receive(bytes: Uint8Array): void {
    let value: unknown;
    try {
      const text = this.#decoder.decode(bytes);
      if (text.trim() === "") return;
      value = JSON.parse(text);
    } catch (error) {
      return this.#refuse(
        null,
        CODE.parse,
        `cannot parse frame of ${bytes.length} bytes: ${errorMessage(error)}`,
      );
    }
    if (Array.isArray(value)) {
      return this.#refuse(
        null,
        CODE.invalidRequest,
        "batches are not supported: send one object per line",
      );
    }
    if (!isFrame(value)) {
      return this.#refuse(
        null,
        CODE.invalidRequest,
        `a frame must be a JSON object, found ${value === null ? "null" : typeof value}`,
      );
    }
    if (typeof value.method === "string") {
      if ("id" in value) this.#receiveRequest(value.id, value.method, value.params);
      else this.#receiveNotification(value.method, value.params);
    } else if ("result" in value || "error" in value) this.#receiveResponse(value);
    else {this.#refuse(
        idOf(value.id),
        CODE.invalidRequest,
        "a frame needs a method, a result or an error",
      );}
  }

  #receiveNotification(method: string, params: unknown): void {
    if (method === METHOD.cancelled) {
      const { requestId, reason } = isFrame(params) ? params : {};
      const id = idOf(requestId);
      // An unknown id has ended already: a no-op, says the protocol.
      if (id !== null) {
        this.#inbound.get(id)?.abort(typeof reason === "string" ? reason : "cancelled by the host");
      }
    } else this.#handlers.notification(method, params);
  }

  async #receiveRequest(rawId: unknown, method: string, params: unknown): Promise<void> {
    const id = idOf(rawId);
    if (id === null) {
      return this.#refuse(
        null,
        CODE.invalidRequest,
        `an id must be a string or a number, found ${JSON.stringify(rawId)}`,
      );
    }
    if (this.#inbound.has(id)) {
      return this.#refuse(
        id,
        CODE.invalidRequest,
        `id ${JSON.stringify(id)} is already in use by a running request`,
      );
    }
    const controller = new AbortController();
    this.#inbound.set(id, controller);
    try {
      const result = await this.#handlers.request(method, params, {
        id,
        signal: controller.signal,
      });
      if (!controller.signal.aborted) await this.#writer.send({ jsonrpc: "2.0", id, result });
    } catch (error) {
      if (controller.signal.aborted) return;
      if (error instanceof RpcError) return this.#refuse(id, error.code, error.message, error.data);
      this.#handlers.note("a request handler failed", { method, error: errorMessage(error) });
      this.#refuse(id, CODE.internal, `${method}: ${errorMessage(error)}`);
    } finally {
      this.#inbound.delete(id);
    }
  }

  #receiveResponse(frame: Frame): void {
    const pending = typeof frame.id === "number" ? this.#outbound.get(frame.id) : undefined;
    if (pending === undefined) {
      // A late answer to something we cancelled looks like this too.
      return this.#handlers.note("response without a request", { id: frame.id });
    }
    this.#outbound.delete(frame.id as number);
    if (!("error" in frame)) return pending.resolve(frame.result);
    const { code, message, data } = isFrame(frame.error) ? frame.error : {};
    pending.reject(
      new RpcError(
        typeof code === "number" ? code : CODE.internal,
        typeof message === "string" ? message : "error without a message",
        data,
      ),
    );
  }

  #refuse(id: RequestId | null, code: number, message: string, data?: unknown): void {
    this.#writer.send({
      jsonrpc: "2.0",
      id,
      error: data === undefined ? { code, message } : { code, message, data },
    });
  }
}

function isFrame(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function idOf(value: unknown): RequestId | null {
  return typeof value === "string" || typeof value === "number" ? value : null;
}

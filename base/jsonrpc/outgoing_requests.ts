/**
 * The requests that we have sent and that wait for their answers.
 *
 * @module
 */
import { errorMessage } from "../error_message.ts";
import type { RawJson } from "../raw_json.ts";
import { RpcError } from "./frame.ts";

interface Waiting {
  resolve(result: RawJson): void;
  reject(error: Error): void;
}

/** How either side takes back a request, as MCP has it: `params.requestId`. */
export const CANCELLED = "notifications/cancelled";

/** Sends requests and gives each its answer, in whatever order the answers come. */
export class OutgoingRequests {
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

  /** Rejects everything that waits, and every request from now on. */
  end(reason: Error): void {
    this.#ended = reason;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
  }
}

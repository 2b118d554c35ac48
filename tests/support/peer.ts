/**
 * JSON-RPC with a plugin process: frames out, answers and requests in. What breaks the wire, and the
 * end of the process, fail everything that waits, at once and for good.
 */
import { strict as assert } from "node:assert";
import { type Exit, PluginProcess, type StartOptions } from "./plugin_process.ts";
import { RpcError } from "./rpc_error.ts";
import * as wire from "./wire.ts";

/**
 * Answers a request of the plugin; the signal is aborted when the plugin cancels it. `frame` is the
 * request as it was written.
 */
export type RequestHandler = (params: wire.Fields, signal: AbortSignal, frame: string) => unknown;

/** Who waits for an answer. Called in the order of the frames; an error thrown here breaks the wire. */
export interface Waiter {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The host's end of the connection. */
export class Peer {
  readonly process: PluginProcess;
  readonly #waiting = new Map<unknown, Waiter>();
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #checks = new Map<string, (params: unknown) => void>();
  readonly #serving = new Map<unknown, AbortController>();
  readonly #onNotification: (method: string, params: unknown) => void;
  #sending: Promise<void> = Promise.resolve();
  #over: Error | undefined;

  constructor(
    start: Omit<StartOptions, "onLine">,
    onNotification: (method: string, params: unknown) => void,
  ) {
    this.#onNotification = onNotification;
    this.process = new PluginProcess({ ...start, onLine: (bytes) => this.#receive(bytes) });
    this.process.exit.then(
      ({ code, signal }: Exit) =>
        this.#end(new Error(`the plugin ended: ${signal ?? `exit ${code}`}`)),
      (error: unknown) => this.#break(error),
    );
  }

  /** What the plugin did to the wire, if it broke it. */
  get violation(): wire.WireError | undefined {
    return this.#over instanceof wire.WireError ? this.#over : undefined;
  }

  /** Awaits the answer to `id`, which may be `null`: that of a frame too broken to have one. */
  expect(id: unknown, waiter: Waiter): void {
    assert.ok(!this.#waiting.has(id), `id ${String(id)} is already in use`);
    if (this.#over) waiter.reject(this.#over);
    else this.#waiting.set(id, waiter);
  }

  /** `check` throws when the params break the protocol. */
  onRequest(method: string, handler: RequestHandler, check?: (params: unknown) => void): void {
    this.#handlers.set(method, handler);
    if (check) this.#checks.set(method, check);
  }

  send(frame: wire.Fields): Promise<void> {
    return this.sendRaw(new TextEncoder().encode(JSON.stringify(frame) + "\n"));
  }

  /** Sends bytes as they are, after everything sent before. */
  sendRaw(bytes: Uint8Array): Promise<void> {
    const sent = this.#sending.then(() => this.process.write(bytes));
    this.#sending = sent.catch(() => {}); // whoever sent it is told; the next one tries again
    return sent;
  }

  /** Ends the plugin's stdin after everything sent before. */
  async closeStdin(): Promise<void> {
    await this.#sending;
    await this.process.closeStdin();
  }

  /** State of the connection, for messages. */
  story(): string {
    const waiting = [...this.#waiting.keys()].join(", ") || "nothing";
    return `plugin ${this.process.pid}, awaiting ${waiting}, stderr:\n${this.process.stderr}`;
  }

  #receive(bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes);
    try {
      const frame: unknown = JSON.parse(text);
      wire.checkFrame(frame);
      const { id, method, params } = frame;
      if (typeof method !== "string") this.#settle(frame);
      else if (id !== undefined) this.#serve(id, method, params, text);
      else if (method === "notifications/cancelled") this.#cancelServing(params);
      else this.#onNotification(method, params);
    } catch (error) {
      this.#break(error, text);
    }
  }

  #settle(frame: wire.Fields): void {
    const { id, result, error } = frame;
    const waiter = this.#waiting.get(id);
    assert.ok(waiter, `an answer that nobody asked for: ${wire.show(frame)}`);
    if (wire.isObject(error)) waiter.reject(new RpcError(error));
    else waiter.resolve(result);
    this.#waiting.delete(id); // not before: an answer that breaks the wire must still be told
  }

  #serve(id: unknown, method: string, params: unknown, frame: string): void {
    const handler = this.#handlers.get(method);
    assert.ok(handler, `the plugin asks for ${method}, which the test does not answer`);
    assert.ok(!this.#serving.has(id), `the plugin uses the id ${String(id)} twice`);
    this.#checks.get(method)?.(params);
    const control = new AbortController();
    this.#serving.set(id, control);
    const serving =
      (async () => await handler(wire.isObject(params) ? params : {}, control.signal, frame))();
    serving.then(
      (result) => ({ result }),
      (error: unknown) => ({ error: RpcError.from(error).body }),
    )
      .then((answer) => {
        this.#serving.delete(id);
        if (!control.signal.aborted) return this.send({ jsonrpc: "2.0", id, ...answer });
      })
      .catch(() => {}); // the plugin is gone: those who wait are told of that
  }

  #cancelServing(params: unknown): void {
    this.#serving.get(wire.isObject(params) ? params["requestId"] : undefined)?.abort();
  }

  #break(error: unknown, frame = ""): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#end(new wire.WireError(`${message}\nframe: ${frame.slice(0, 2000)}\n${this.story()}`));
  }

  #end(error: Error): void {
    this.#over ??= error;
    for (const waiter of this.#waiting.values()) waiter.reject(this.#over);
    this.#waiting.clear();
    for (const control of this.#serving.values()) control.abort();
  }
}

/**
 * The reference host: starts the executable as Plexum would and speaks JSON-RPC with it over stdio.
 *
 * It follows docs/protocol.md to the letter and believes nothing: the first frame that breaks the
 * protocol fails every wait from then on, and the end of the test.
 */
import { strict as assert } from "node:assert";
import { METHOD, type StreamEvent, type StreamResult } from "../../plugin/protocol.ts";
import { executable } from "../../scripts/executable.ts";
import { within } from "./deadline.ts";
import { type Exit, PluginProcess } from "./plugin_process.ts";
import { RpcError } from "./rpc_error.ts";
import { Turn } from "./turn.ts";
import * as wire from "./wire.ts";

/** How to start a host. */
export interface HostOptions {
  /** The plugin's whole environment, as a rule `sandbox.env`. */
  env: Record<string, string>;
  /** Started instead of the project's executable. */
  command?: { command: string; args: string[] };
  cwd?: string;
}

/** Answers a request of the plugin; the signal is aborted when the plugin cancels it. */
export type RequestHandler = (params: wire.Fields, signal: AbortSignal) => unknown;

/** Starts the plugin. Its end is awaited by `await using`. */
export async function startHost(options: HostOptions): Promise<Host> {
  const program = options.command ?? await executable();
  return new Host({ ...program, env: options.env, ...(options.cwd ? { cwd: options.cwd } : {}) });
}

/** A connection to one plugin process. */
export class Host implements AsyncDisposable {
  /** Params of every log notification so far. */
  readonly logs: wire.Fields[] = [];
  readonly turns = new Map<unknown, Turn>();
  readonly #process: PluginProcess;
  readonly #pending = new Map<unknown, PromiseWithResolvers<unknown>>();
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #serving = new Map<unknown, AbortController>();
  readonly #cancelled = new Set<unknown>();
  readonly #pastCalls = new Set<string>();
  readonly #unasked: wire.Fields[] = [];
  #nextId = 1;
  #broken: Error | undefined;
  #killed = false;
  #sending: Promise<void> = Promise.resolve();

  constructor(
    start: { command: string; args: string[]; env: Record<string, string>; cwd?: string },
  ) {
    this.#process = new PluginProcess({ ...start, onLine: (bytes) => this.#receive(bytes) });
    this.#process.exit.then(
      ({ code, signal }) => this.#end(new Error(`the plugin ended: ${signal ?? `exit ${code}`}`)),
      (error: unknown) => this.#break(error),
    );
  }

  get pid(): number {
    return this.#process.pid;
  }
  get stderr(): string {
    return this.#process.stderr;
  }
  /** How the plugin ended. */
  get exit(): Promise<Exit> {
    return within(this.#process.exit, "the end of the plugin", () => this.#story());
  }

  /** The handshake; returns the result of `initialize`, checked. */
  async initialize(): Promise<wire.InitializeResult> {
    const result = await this.request(METHOD.initialize, {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "reference-host", version: "1" },
    });
    wire.checkInitialize(result);
    await this.notify(METHOD.initialized);
    return result;
  }

  /** Sends a request. Rejects with `RpcError` when the plugin answers with an error. */
  request(
    method: string,
    params?: unknown,
    id: string | number = this.#nextId++,
  ): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    answer.promise.catch(() => {});
    if (this.#broken) answer.reject(this.#broken);
    this.send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) })
      .catch((error: unknown) => answer.reject(error));
    return within(answer.promise, `the answer to ${method} (id ${id})`, () => this.#story());
  }

  notify(method: string, params?: unknown): Promise<void> {
    return this.send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** Asks for a turn. `params` are those of `plexum/provider/stream`, unchecked on purpose. */
  stream(params: unknown, id: number = this.#nextId++): Turn {
    const turn = this.expectTurn(id);
    this.send({ jsonrpc: "2.0", id, method: METHOD.stream, params })
      .catch((error: Error) => turn.fail(error));
    return turn;
  }

  /** The same without sending anything: for a request that the test writes by itself. */
  expectTurn(id: number): Turn {
    const turn = new Turn({
      id,
      pastCalls: this.#pastCalls,
      cancel: (reason) => {
        this.#cancelled.add(id);
        return this.notify(METHOD.cancelled, { requestId: id, reason });
      },
      describe: () => this.#story(),
    });
    this.turns.set(id, turn);
    if (this.#broken) turn.fail(this.#broken);
    return turn;
  }

  /** Says how a request of the plugin is answered; a thrown `RpcError` becomes the answer. */
  onRequest(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler);
  }

  /** Sends one frame. */
  send(frame: wire.Fields): Promise<void> {
    return this.sendRaw(new TextEncoder().encode(JSON.stringify(frame) + "\n"));
  }

  /** Sends bytes as they are, after everything sent before. */
  sendRaw(bytes: Uint8Array): Promise<void> {
    const sent = this.#sending.then(() => this.#process.write(bytes));
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /** The next answer with `id: null`, as for a broken frame. */
  async complaint(): Promise<wire.Fields> {
    const waiting = Promise.withResolvers<unknown>();
    const early = this.#unasked.shift();
    if (early) return early;
    this.#pending.set(null, waiting);
    const frame = await within(waiting.promise, "an answer without an id", () => this.#story());
    assert.ok(wire.isObject(frame));
    return frame;
  }

  async closeStdin(): Promise<void> {
    await this.#sending;
    await this.#process.closeStdin();
  }

  /** Sends a signal to the plugin; its end is then no failure of the test. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    this.#killed = true;
    this.#process.kill(signal);
  }

  /** Ends the plugin by EOF, as a host does; throws when it does not end with exit 0. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeStdin();
    try {
      const { code, signal } = await this.exit;
      if (!this.#killed) assert.equal(signal ?? code, 0, `plugin's end\n${this.#story()}`);
    } finally {
      this.#process.kill();
    }
    if (this.#broken && this.#broken instanceof wire.WireError) throw this.#broken;
  }

  #receive(bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes);
    try {
      const frame: unknown = JSON.parse(text);
      wire.checkFrame(frame);
      this.#dispatch(frame);
    } catch (error) {
      this.#break(error, text);
    }
  }

  #dispatch(frame: wire.Fields): void {
    const { id, method, params } = frame;
    if (typeof method !== "string") return this.#settle(frame);
    if (id !== undefined) return this.#serve(id, method, params);
    switch (method) {
      case METHOD.event: {
        const { request_id, seq, event } = wire.checkEventParams(params);
        const turn = this.turns.get(request_id);
        assert.ok(turn, `event of a turn that nobody asked for: ${wire.show(params)}`);
        return turn.receive(seq, event);
      }
      case METHOD.log:
        this.logs.push(wire.checkLog(params));
        return;
      case METHOD.cancelled:
        this.#serving.get(wire.isObject(params) ? params["requestId"] : undefined)?.abort();
        return;
      default:
        assert.fail(`unknown notification ${method}`);
    }
  }

  #settle(frame: wire.Fields): void {
    const { id } = frame;
    const turn = this.turns.get(id);
    const pending = this.#pending.get(id);
    if (id === null && !pending) return void this.#unasked.push(frame);
    this.#pending.delete(id);
    const error = wire.isObject(frame["error"]) ? new RpcError(frame["error"]) : undefined;
    if (pending && id === null) pending.resolve(frame);
    else if (pending) error ? pending.reject(error) : pending.resolve(frame["result"]);
    else if (turn && error) turn.fail(error);
    else if (turn) this.#finish(turn, wire.checkStreamResult(frame["result"]));
    else assert.fail(`answer to what nobody asked: ${wire.show(frame)}`);
  }

  #finish(turn: Turn, result: StreamResult): void {
    const silent = this.#cancelled.has(turn.id) && result.stop_reason === "cancelled";
    assert.ok(!silent, `a cancelled request gets no response (turn ${turn.id})`);
    turn.answer(result);
  }

  #serve(id: unknown, method: string, params: unknown): void {
    const handler = this.#handlers.get(method);
    assert.ok(handler, `the plugin asks for ${method}, which the test does not answer`);
    assert.ok(!this.#serving.has(id), `the plugin uses the id ${id} twice`);
    if (method === METHOD.hostToolCall) wire.checkHostToolCall(params);
    const control = new AbortController();
    this.#serving.set(id, control);
    const given = wire.isObject(params) ? params : {};
    const serving = (async () => await handler(given, control.signal))();
    serving.then(
      (result) => ({ result }),
      (error: unknown) => ({ error: RpcError.from(error).body }),
    ).then((answer) => {
      this.#serving.delete(id);
      if (!control.signal.aborted) return this.send({ jsonrpc: "2.0", id, ...answer });
    }).catch(() => {}); // the plugin is gone: that is told elsewhere
  }

  #break(error: unknown, frame = ""): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#end(new wire.WireError(`${message}\nframe: ${frame.slice(0, 2000)}\n${this.#story()}`));
  }

  #end(error: Error): void {
    this.#broken ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#broken);
    for (const turn of this.turns.values()) turn.fail(this.#broken);
    for (const control of this.#serving.values()) control.abort();
  }

  #story(): string {
    const waiting = [...this.#pending.keys()].join(", ") || "none";
    return `plugin ${this.pid}, open requests: ${waiting}\nstderr:\n${this.stderr}`;
  }
}

/** The events of a turn, for tests that only look at the types. */
export function typesOf(events: readonly StreamEvent[]): string[] {
  return events.map((event) => event.type);
}

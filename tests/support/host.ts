/**
 * The reference host: starts the executable as Plexum would and speaks with it over stdio.
 *
 * It follows docs/protocol.md to the letter and believes nothing: the first frame that breaks the
 * protocol fails every wait from then on, and the end of the test.
 */
import { strict as assert } from "node:assert";
import { METHOD, type StreamEvent } from "../../plugin/protocol.ts";
import { executable } from "./checkout.ts";
import { within } from "./deadline.ts";
import { Peer, type RequestHandler } from "./peer.ts";
import type { Exit } from "./plugin_process.ts";
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

/** Starts the plugin. Its end is awaited by `await using`. */
export async function startHost(options: HostOptions): Promise<Host> {
  const program = options.command ?? await executable();
  return new Host({ ...program, env: options.env, ...(options.cwd ? { cwd: options.cwd } : {}) });
}

/** A host with one plugin. */
export class Host implements AsyncDisposable {
  /** Params of every log notification so far. */
  readonly logs: wire.Fields[] = [];
  readonly #peer: Peer;
  readonly #turns = new Map<unknown, Turn>();
  readonly #pastCalls = new Set<string>();
  #onLog: (() => void)[] = [];
  #nextId = 1;
  #killed = false;

  constructor(
    start: { command: string; args: string[]; env: Record<string, string>; cwd?: string },
  ) {
    this.#peer = new Peer(start, (method, params) => this.#notified(method, params));
  }

  get pid(): number {
    return this.#peer.process.pid;
  }
  get stderr(): string {
    return this.#peer.process.stderr;
  }
  /** Waits until a log line holds `text` in its JSON. */
  async logged(text: string): Promise<void> {
    while (!this.logs.some((line) => JSON.stringify(line).includes(text))) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLog.push(resolve);
      await within(promise, `a log line with ${text}`, () => this.#peer.story());
    }
  }
  /** How the plugin ended. */
  get exit(): Promise<Exit> {
    return within(this.#peer.process.exit, "the end of the plugin", () => this.#peer.story());
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
    this.#peer.expect(id, answer);
    this.#peer.send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) })
      .catch((error: Error) => answer.reject(error));
    return within(answer.promise, `the answer to ${method} (id ${id})`, () => this.#peer.story());
  }

  notify(method: string, params?: unknown): Promise<void> {
    return this.#peer.send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  /** Asks for a turn. `params` are those of `plexum/provider/stream`, unchecked on purpose. */
  stream(params: unknown, id: number = this.#nextId++): Turn {
    const turn = this.expectTurn(id);
    this.#peer.send({ jsonrpc: "2.0", id, method: METHOD.stream, params })
      .catch((error: Error) => turn.fail(error));
    return turn;
  }

  /** The same without sending anything: for a request whose bytes the test sends by itself. */
  expectTurn(id: number): Turn {
    const turn = new Turn({
      id,
      pastCalls: this.#pastCalls,
      cancel: (reason) => this.notify(METHOD.cancelled, { requestId: id, reason }),
      describe: () => this.#peer.story(),
    });
    this.#turns.set(id, turn);
    this.#peer.expect(id, {
      resolve: (result) => turn.answer(wire.checkStreamResult(result)),
      reject: (error) => turn.fail(error),
    });
    return turn;
  }

  /** Says how a request of the plugin is answered; a thrown `RpcError` becomes the answer. */
  onRequest(method: string, handler: RequestHandler): void {
    const check = method === METHOD.hostToolCall ? wire.checkHostToolCall : undefined;
    this.#peer.onRequest(method, handler, check);
  }

  /** Sends bytes as they are, after everything sent before. */
  sendRaw(bytes: Uint8Array): Promise<void> {
    return this.#peer.sendRaw(bytes);
  }

  /** Sends bytes that are no frame; resolves with the error that answers them, with `id: null`. */
  async sendBroken(bytes: Uint8Array): Promise<RpcError> {
    const answer = Promise.withResolvers<unknown>();
    this.#peer.expect(null, answer);
    await this.sendRaw(bytes);
    const waiting = within(answer.promise, "an answer with id null", () => this.#peer.story());
    const error: unknown = await waiting.catch((error: unknown) => error);
    if (error instanceof RpcError) return error;
    throw error instanceof Error ? error : new Error(`answered with ${wire.show(error)}`);
  }

  closeStdin(): Promise<void> {
    return this.#peer.closeStdin();
  }

  /** Sends a signal to the plugin; its end is then no failure of the test. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    this.#killed = true;
    this.#peer.process.kill(signal);
  }

  /** Ends the plugin by EOF, as a host does; throws when it does not end with exit 0. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeStdin();
    try {
      const { code, signal } = await this.exit;
      if (!this.#killed) assert.equal(signal ?? code, 0, `plugin's end\n${this.#peer.story()}`);
    } finally {
      this.#peer.process.kill("SIGKILL");
    }
    if (this.#peer.violation) throw this.#peer.violation;
  }

  #notified(method: string, params: unknown): void {
    switch (method) {
      case METHOD.event: {
        const { request_id, seq, event } = wire.checkEventParams(params);
        const turn = this.#turns.get(request_id);
        assert.ok(turn, `event of a turn that nobody asked for: ${wire.show(params)}`);
        return turn.receive(seq, event);
      }
      case METHOD.log:
        this.logs.push(wire.checkLog(params));
        for (const wake of this.#onLog.splice(0)) wake();
        return;
      default:
        assert.fail(`unknown notification ${method}`);
    }
  }
}

/** The types of the events, for tests that only look at these. */
export function typesOf(events: readonly StreamEvent[]): string[] {
  return events.map((event) => event.type);
}

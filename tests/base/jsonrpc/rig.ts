/**
 * A connection in memory: a test pushes bytes in as a host would and takes the frames that come out,
 * while a recorder keeps what reached the handlers.
 */
import { strict as assert } from "node:assert";
import { FrameWriter } from "../../../base/jsonrpc/frame.ts";
import { type Handlers, Peer, type RequestContext, RpcError } from "../../../base/jsonrpc/peer.ts";
import { within } from "../../support/deadline.ts";

/** A frame as it is on the wire. */
export type Frame = Record<string, unknown>;

/** What a handler was called with. */
export interface Call {
  method: string;
  params: unknown;
  id?: string | number;
}

type Serve = (call: Call, context: RequestContext) => unknown;

/** Bytes of a text, or of a value as one JSON line. */
export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value) + "\n");
}

/** Handlers that remember every call and answer requests with what `serve` returns. */
export class Recorder implements Handlers {
  readonly calls: Call[] = [];
  readonly notes: string[] = [];
  readonly contexts = new Map<unknown, RequestContext>();
  readonly #serve: Serve;

  constructor(serve: Serve = ({ params }) => ({ echo: params ?? null })) {
    this.#serve = serve;
  }

  async request(method: string, params: unknown, context: RequestContext): Promise<unknown> {
    const call = { method, params, id: context.id };
    this.calls.push(call);
    this.contexts.set(context.id, context);
    if (method === "unknown") throw new RpcError(-32601, `unknown method "unknown"`);
    return await this.#serve(call, context);
  }

  notification(method: string, params: unknown): void {
    this.calls.push({ method, params });
    if (method === "explode") throw new Error("no such bomb");
  }

  note(message: string): void {
    this.notes.push(message);
  }
}

/** One connection. `end` must be called, so that nothing is left running. */
export class Rig {
  readonly peer: Peer;
  readonly recorder: Recorder;
  /** Resolves when the peer has stopped reading. */
  readonly done: Promise<void>;
  readonly #input = new TransformStream<Uint8Array, Uint8Array>();
  readonly #writer = this.#input.writable.getWriter();
  readonly #frames: Frame[] = [];
  #wake: () => void = () => {};

  constructor(
    serve?: Serve,
    limits: { frameBytes: number; requests: number } = { frameBytes: 1 << 20, requests: 1000 },
  ) {
    this.recorder = new Recorder(serve);
    const writer = new FrameWriter((bytes) => {
      for (const line of new TextDecoder().decode(bytes).trimEnd().split("\n")) {
        this.#frames.push(JSON.parse(line));
      }
      this.#wake();
      return Promise.resolve();
    });
    this.peer = new Peer(writer, this.recorder, {
      ...limits,
      busy: (message) =>
        new RpcError(-32000, message, { kind: "internal", message, retryable: true }),
    });
    this.done = this.peer.run(this.#input.readable);
  }

  /** Sends a chunk: bytes, text as it is, or a value as a frame. Resolves when it was taken. */
  async push(value: unknown): Promise<void> {
    await this.#writer.write(value instanceof Uint8Array ? value : bytesOf(value));
  }

  /** Resolves with the next frame that comes out. */
  async next(): Promise<Frame> {
    while (this.#frames.length === 0) {
      const more = new Promise<void>((resolve) => this.#wake = resolve);
      await within(more, "a frame", () => JSON.stringify(this.recorder.calls));
    }
    const [frame] = this.#frames.splice(0, 1);
    assert.ok(frame);
    assert.equal(frame.jsonrpc, "2.0");
    return frame;
  }

  /** Sends a request, and resolves with every frame up to its answer, which is left out. */
  async settled(id = "last"): Promise<Frame[]> {
    await this.push({ jsonrpc: "2.0", id, method: "ping" });
    const frames: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.id === id) return frames;
      frames.push(frame);
    }
  }

  /** Ends the input; resolves with the frames that nobody took. */
  async end(): Promise<Frame[]> {
    await this.#writer.close();
    await this.done;
    return this.#frames.splice(0);
  }

  /** What reached the handlers, without the requests of {@link settled}. */
  get calls(): Call[] {
    return this.recorder.calls.filter(({ method }) => method !== "ping");
  }
}

/** The error of a frame. */
export function errorOf(frame: Frame | undefined): { code: number; message: string } {
  assert.ok(frame?.error, `an error frame, not ${JSON.stringify(frame)}`);
  return frame.error as { code: number; message: string };
}

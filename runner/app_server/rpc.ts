/**
 * JSON-RPC with one app-server, over its stdin and stdout: one message a line, ended by 0x0A.
 *
 * What codex does not do is assumed of no one: it never answers a line that it cannot read, so every
 * request has a deadline; it may ask us things, so everything it asks is answered; and it may say
 * what nobody knows, which is counted. The next line is read when the last one has been taken, so a
 * turn that nobody listens to fills the pipe, and codex waits.
 *
 * @module
 */
import * as z from "zod/mini";
import { clip } from "../../base/error_message.ts";
import { type Line, LineSplitter } from "../../base/lines.ts";
import { wellFormedJson } from "../../base/raw_json.ts";

/** Longest line that is decoded. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** codex refused a request. Its words may be several kB and are cut to 2 KiB. */
export class RpcRefusal extends Error {
  override name = "RpcRefusal";
  constructor(readonly method: string, readonly code: number, message: string) {
    super(clip(message));
  }
}

/** A request that got no answer: it was late, or the server is gone. */
export class RpcSilence extends Error {
  override name = "RpcSilence";
}

/** What does not fit into the conversation; only ever counted. */
export interface RpcCounts {
  /** Lines that are no message. */
  broken: number;
  /** Answers to nothing that was asked, or that came too late. */
  strayAnswers: number;
  /** Requests of codex, all of which are refused. */
  refused: number;
}

/** Takes a notification; the next line is read when it is done. */
export type Notified = (method: string, params: unknown) => Promise<void> | void;

const Message = z.looseObject({
  id: z.optional(z.union([z.number(), z.string()])),
  method: z.optional(z.string()),
  params: z.optional(z.unknown()),
  result: z.optional(z.unknown()),
  error: z.optional(z.looseObject({
    code: z._default(z.number(), 0),
    message: z._default(z.string(), "codex gave no reason"),
  })),
});

interface Pending {
  method: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** One conversation. */
export class Rpc {
  readonly counts: RpcCounts = { broken: 0, strayAnswers: 0, refused: 0 };
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #notified: Notified;
  readonly #pending = new Map<number, Pending>();
  #writing: Promise<void> = Promise.resolve();
  #nextId = 1;
  #over = false;

  /** `write` puts bytes on the server's stdin, one call at a time. */
  constructor(write: (bytes: Uint8Array) => Promise<void>, notified: Notified) {
    this.#write = write;
    this.#notified = notified;
  }

  /**
   * Asks and waits for the answer, at most `ms`.
   * @throws {RpcRefusal} codex's own no.
   * @throws {RpcSilence} no answer in time, or the server is gone.
   */
  async request(method: string, params: unknown, ms: number): Promise<unknown> {
    if (this.#over) throw new RpcSilence(`${method}: the app-server is gone`);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = () => reject(new RpcSilence(`${method}: no answer within ${ms} ms`));
    const timer = setTimeout(late, ms);
    this.#pending.set(id, { method, resolve, reject });
    try {
      this.#send({ id, method, params }).catch(reject);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** Says something that has no answer. Never rejects. */
  async notify(method: string, params?: unknown): Promise<void> {
    await this.#send({ method, params }).catch(() => {});
  }

  /** Reads until the server's stdout ends; then nothing that is pending will be answered. */
  async read(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = new LineSplitter(MAX_LINE_BYTES);
    try {
      for await (const chunk of chunks) {
        for (const line of lines.push(chunk)) await this.#take(line);
      }
    } catch {
      // A broken pipe ends stdout like its end.
    } finally {
      this.#over = true;
      for (const { method, reject } of this.#pending.values()) {
        reject(new RpcSilence(`${method}: the app-server is gone`));
      }
    }
  }

  async #take(line: Line): Promise<void> {
    const message = line.overlong === undefined ? decode(line.bytes) : undefined;
    if (message === undefined) {
      if (line.overlong !== undefined || line.bytes.length > 0) this.counts.broken++;
      return;
    }
    const { id, method, params, error, result } = message;
    if (method !== undefined && id === undefined) return await this.#notified(method, params);
    if (method !== undefined) {
      this.counts.refused++;
      const refusal = { code: -32601, message: `${clip(method)}: this client serves no requests` };
      return await this.#send({ id, error: refusal }).catch(() => {});
    }
    const asked = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (asked === undefined) this.counts.strayAnswers++;
    else if (error === undefined) asked.resolve(result);
    else asked.reject(new RpcRefusal(asked.method, error.code, error.message));
  }

  #send(message: Record<string, unknown>): Promise<void> {
    const bytes = encoder.encode(`${wellFormedJson(JSON.stringify(message))}\n`);
    const sent = this.#writing.then(() => this.#write(bytes));
    this.#writing = sent.catch(() => {});
    return sent;
  }
}

function decode(bytes: Uint8Array): z.infer<typeof Message> | undefined {
  try {
    const parsed = z.safeParse(Message, JSON.parse(decoder.decode(bytes)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * MCP over a connection: one JSON-RPC message per line, as the SDK's transports speak it on stdio.
 *
 * The SDK's own stdio transport joins its buffer with every chunk, which makes a message of many
 * chunks quadratic, and works on Node streams. This one copies a message once. Messages go out in
 * the order they were sent; while the peer leaves too much unread, nothing more is read from it.
 *
 * @module
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types";
import { decodeObject } from "../../base/json_object.ts";
import { LineSplitter } from "../../base/lines.ts";

/** Longest message in either direction, in bytes. */
export const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;
/** Bytes waiting to be written above which reading pauses. */
export const UNREAD_MAX_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

const encoder = new TextEncoder();

/** A transport over an open connection, which it owns from then on. */
export class ConnTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T) => void;

  readonly #conn: Deno.Conn;
  readonly #lines = new LineSplitter(MESSAGE_MAX_BYTES);
  readonly #rest: Uint8Array;
  #writes: Promise<void> = Promise.resolve();
  #unwritten = 0;
  #closed = false;

  /** `rest` is what was read from the connection already. */
  constructor(conn: Deno.Conn, rest: Uint8Array) {
    this.#conn = conn;
    this.#rest = rest;
  }

  /** Bytes handed to `send` that the peer has not taken yet. */
  get unwritten(): number {
    return this.#unwritten;
  }

  start(): Promise<void> {
    this.#read();
    return Promise.resolve();
  }

  /** Resolves when the message is written, rejects when the connection ends before. */
  send(message: JSONRPCMessage): Promise<void> {
    const bytes = encoder.encode(JSON.stringify(message) + "\n");
    this.#unwritten += bytes.length;
    const written = this.#writes.then(() => this.#write(bytes)).finally(() => {
      this.#unwritten -= bytes.length;
    });
    this.#writes = written.catch(() => {});
    return written;
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#conn.close();
      this.onclose?.();
    }
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    try {
      this.#take(this.#rest);
      while (!this.#closed) {
        if (this.#unwritten > UNREAD_MAX_BYTES) await this.#writes;
        const read = await this.#conn.read(buffer);
        if (read === null) break;
        this.#take(buffer.subarray(0, read));
      }
    } catch (error) {
      if (!this.#closed) this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
    await this.close();
  }

  #take(chunk: Uint8Array): void {
    for (const line of this.#lines.push(chunk)) {
      if (line.overlong !== undefined) {
        throw new RangeError(
          `Cannot read a message of ${line.overlong} bytes: the limit is ${MESSAGE_MAX_BYTES}`,
        );
      }
      // The SDK's protocol layer checks what kind of message it is.
      const message = decodeObject(line.bytes);
      if (message) this.#deliver(message as JSONRPCMessage);
      else this.onerror?.(new SyntaxError("Cannot read a message: the line is not a JSON object"));
    }
  }

  /** One message that the SDK chokes on (nested too deep for its error text) is not the last one. */
  #deliver(message: JSONRPCMessage): void {
    try {
      this.onmessage?.(message);
    } catch (error) {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }
}

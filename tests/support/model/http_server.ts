/**
 * A very small HTTP/1.1 server on loopback, one request per connection, for the scripted model.
 *
 * It exists because a script must be able to break off an answer in the middle, or never begin one,
 * and must do so alike on every runtime: with `Deno.serve` and `node:http` it depends on the Deno
 * version which bytes are flushed before a stream is cut, and 2.4.2 cannot destroy a socket at all.
 * Here the socket is ours. Streamed bodies are chunked, so that a clean end and a cut one differ.
 */

import { type HttpRequest, readRequest } from "./http_request.ts";

/** Answers one request. It must not throw: what it cannot do it answers. */
export type HttpHandler = (request: HttpRequest, reply: HttpReply) => Promise<void>;

/** A running server. `close` drops every connection and resolves when no handler is left. */
export interface LoopbackServer {
  port: number;
  close(): Promise<void>;
}

const encoder = new TextEncoder();
const REASONS: Record<number, string> = { 200: "OK", 400: "Bad Request", 404: "Not Found" };

/** One answer on its way out. Writing to a client that is gone is not an error: see `signal`. */
export class HttpReply {
  #conn: Deno.TcpConn;
  #gone = new AbortController();
  #begun = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Aborted when the client hung up, the server closes, or this answer was cut. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** True once a status line has been sent. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Sends a whole JSON answer. */
  async json(status: number, value: unknown, headers: Record<string, string> = {}): Promise<void> {
    const body = encoder.encode(JSON.stringify(value));
    await this.#head(status, {
      "content-type": "application/json",
      "content-length": String(body.length),
      ...headers,
    });
    await this.#send(body);
  }

  /** Begins a streamed answer; `write` adds to it, `end` finishes it. */
  async begin(status: number, headers: Record<string, string>): Promise<void> {
    await this.#head(status, { "transfer-encoding": "chunked", ...headers });
  }

  async write(text: string): Promise<void> {
    const data = encoder.encode(text);
    if (data.length > 0) await this.#send(frame(data));
  }

  async end(): Promise<void> {
    await this.#send(encoder.encode("0\r\n\r\n"));
  }

  /** Drops the connection now: a client in the middle of a body sees a transport error. */
  cut(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#conn.close();
  }

  /** Reads until the client hangs up, so that a waiting answer learns of it. */
  async watch(): Promise<void> {
    const scrap = new Uint8Array(1024);
    try {
      while (await this.#conn.read(scrap) !== null);
    } catch {
      // A reset or our own close: the client is gone either way.
    }
    this.cut();
  }

  async #head(status: number, headers: Record<string, string>): Promise<void> {
    this.#begun = true;
    const lines = Object.entries({ connection: "close", ...headers }).map(([k, v]) => `${k}: ${v}`);
    const first = `HTTP/1.1 ${status} ${REASONS[status] ?? "Scripted"}`;
    await this.#send(encoder.encode([first, ...lines, "", ""].join("\r\n")));
  }

  async #send(bytes: Uint8Array): Promise<void> {
    let sent = 0;
    try {
      while (sent < bytes.length && !this.signal.aborted) {
        sent += await this.#conn.write(bytes.subarray(sent));
      }
    } catch {
      this.cut();
    }
  }
}

function frame(data: Uint8Array): Uint8Array {
  const size = encoder.encode(`${data.length.toString(16)}\r\n`);
  const out = new Uint8Array(size.length + data.length + 2);
  out.set(size);
  out.set(data, size.length);
  out.set([13, 10], size.length + data.length);
  return out;
}

/** Listens on a free port of 127.0.0.1. */
export function serveLoopback(handler: HttpHandler): LoopbackServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Map<HttpReply, Promise<void>>();
  const accepting = (async () => {
    for await (const conn of listener) {
      const reply = new HttpReply(conn);
      open.set(reply, converse(conn, reply, handler).finally(() => open.delete(reply)));
    }
  })();
  return {
    port: listener.addr.port,
    async close() {
      listener.close();
      await accepting;
      for (const reply of open.keys()) reply.cut();
      await Promise.all(open.values());
    },
  };
}

async function converse(conn: Deno.TcpConn, reply: HttpReply, handler: HttpHandler): Promise<void> {
  const request = await readRequest(conn).catch((error: unknown) => String(error));
  if (request === undefined) return reply.cut();
  const watched = reply.watch();
  if (typeof request !== "string") await handler(request, reply);
  else await reply.json(400, { error: { message: request } });
  reply.cut();
  await watched;
}

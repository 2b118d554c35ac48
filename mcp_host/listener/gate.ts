/**
 * The door of a bridge: accepts connections on a unix socket, reads one hello from each and lets in
 * who may come in. Everybody else is closed, counted and, once per kind, reported.
 *
 * Nothing a stranger does may cost more than a little: at most `PENDING_MAX` connections wait for
 * their hello at a time (one more, and the oldest is closed, so a flood cannot keep out a relay,
 * which greets at once), each may send `HELLO_MAX_BYTES` and take `helloTimeoutMs`.
 *
 * @module
 */
import { type Answer, decodeHello, encodeAnswer, type Hello, HELLO_MAX_BYTES } from "./link.ts";
import type { Timer } from "../host_tool.ts";

/** Connections that may wait for their hello at the same time. */
export const PENDING_MAX = 64;
/** Pause after the system refused to accept, so that a lack of descriptors is not a busy loop. */
const ACCEPT_PAUSE_MS = 50;

/** Why somebody was turned away. */
export type Refusal =
  | "slow hello"
  | "garbage"
  | "too many strangers"
  | "hung up"
  | "not admitted";

/** Somebody who was let in: what follows the hello on the connection is MCP. */
export interface Guest {
  conn: Deno.Conn;
  /** Bytes that arrived behind the hello. */
  rest: Uint8Array;
}

/** A place that is kept for somebody: either `enter` is called or, where they left, `forgo`. */
export interface Admission {
  enter(guest: Guest): void;
  forgo(): void;
}

/** What a gate needs to know. */
export interface GateOptions {
  socket: string;
  helloTimeoutMs: number;
  timer: Timer;
  /** Decides about a well-formed hello. */
  admit(hello: Hello): Admission | { reason: string };
  /** Told of every connection that was turned away. */
  onRefused(refusal: Refusal, detail: string): void;
}

/** An open door. */
export class Gate {
  readonly #options: GateOptions;
  readonly #listener: Deno.Listener;
  readonly #pending = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  #wake = () => {};
  #closed = false;

  /** Listens at once; throws what `Deno.listen` throws. */
  constructor(options: GateOptions) {
    this.#options = options;
    this.#listener = Deno.listen({ transport: "unix", path: options.socket });
    this.#accepting = this.#accept();
  }

  /** Closes the door and whoever stands in it. Guests are not touched. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
      for (const conn of this.#pending) conn.close();
      this.#pending.clear();
      this.#wake();
    }
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        if (this.#closed) conn.close();
        else this.#receive(conn);
      } catch (error) {
        if (this.#closed) return;
        this.#options.onRefused("too many strangers", `accept failed: ${error}`);
        await new Promise<void>((resolve) => {
          const stop = this.#options.timer(ACCEPT_PAUSE_MS, resolve);
          this.#wake = () => (stop(), resolve());
        });
      }
    }
  }

  async #receive(conn: Deno.Conn): Promise<void> {
    this.#pending.add(conn);
    if (this.#pending.size > PENDING_MAX) {
      const [oldest] = this.#pending;
      if (oldest) this.#turnAway(oldest, "too many strangers");
    }
    const stop = this.#options.timer(
      this.#options.helloTimeoutMs,
      () => this.#turnAway(conn, "slow hello"),
    );
    const greeting = await readHello(conn).catch(() => "hung up" as const);
    stop();
    // Turned away while reading: by the timer, by a flood or because the gate closed.
    if (!this.#pending.delete(conn)) return;
    // Whoever says nothing and goes only looked whether somebody is at home (`sweep.ts`).
    if (greeting === "silence") return conn.close();
    if (typeof greeting === "string") return this.#refuse(conn, greeting);
    const verdict = this.#options.admit(greeting.hello);
    if ("reason" in verdict) {
      await answer(conn, { admitted: false, reason: verdict.reason });
      this.#refuse(conn, "not admitted", verdict.reason);
    } else if (await answer(conn, { admitted: true }) && !this.#closed) {
      verdict.enter({ conn, rest: greeting.rest });
    } else {
      verdict.forgo();
      this.#refuse(conn, "hung up");
    }
  }

  #turnAway(conn: Deno.Conn, refusal: Refusal): void {
    if (this.#pending.delete(conn)) this.#refuse(conn, refusal);
  }

  #refuse(conn: Deno.Conn, refusal: Refusal, detail: string = refusal): void {
    conn.close();
    if (!this.#closed) this.#options.onRefused(refusal, detail);
  }
}

/** Reads up to the first newline, and not more than a hello may have. */
async function readHello(
  conn: Deno.Conn,
): Promise<{ hello: Hello; rest: Uint8Array } | "garbage" | "hung up" | "silence"> {
  const buffer = new Uint8Array(HELLO_MAX_BYTES);
  let filled = 0;
  while (filled < buffer.length) {
    const read = await conn.read(buffer.subarray(filled));
    if (read === null) return filled === 0 ? "silence" : "hung up";
    const end = buffer.subarray(0, filled + read).indexOf(10, filled);
    filled += read;
    if (end >= 0) {
      const hello = decodeHello(buffer.subarray(0, end));
      return hello ? { hello, rest: buffer.subarray(end + 1, filled) } : "garbage";
    }
  }
  return "garbage";
}

/** Sends the answer; it fits into an empty socket buffer, so this never waits for the peer. */
async function answer(conn: Deno.Conn, said: Answer): Promise<boolean> {
  try {
    await conn.write(encodeAnswer(said));
    return true;
  } catch {
    return false;
  }
}

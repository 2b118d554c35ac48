/**
 * Where relays arrive: a unix socket that accepts connections, reads one hello from each and lets in
 * who shows the token of a bridge behind it. Everybody else is closed, counted and, once per kind,
 * reported.
 *
 * A bridge usually has a listener of its own, in a fresh directory. Where codex was told the socket
 * once and for all (`fixed_socket.ts`), the bridges of an agent share one, and the token says which of
 * them is meant. A listener closes with the last bridge that leaves it.
 *
 * Nothing a stranger does may cost more than a little: at most `PENDING_MAX` connections wait for
 * their hello at a time (one more, and the oldest is closed, so a flood cannot keep out a relay,
 * which greets at once), each may send `HELLO_MAX_BYTES` and take `helloTimeoutMs`.
 *
 * @module
 */
import { startTimer, type Timer } from "../../base/timer.ts";
import {
  type Answer,
  decodeHello,
  encodeAnswer,
  type Hello,
  HELLO_MAX_BYTES,
  LINK_VERSION,
} from "./hello.ts";
import { sameToken } from "./token.ts";
import { makeSocketDirectory } from "./socket_dir.ts";

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
  /** A file that the relay is to open and keep open, so that it can be told from others. */
  proof?: string | undefined;
  enter(guest: Guest): void;
  forgo(): void;
}

/** A bridge as the listener sees it. */
export interface Member {
  readonly token: string;
  readonly agentId: string;
  /** Takes in a relay that showed the token, or says why not. */
  admit(hello: Hello): Admission | { reason: string };
  onRefused(refusal: Refusal, detail: string): void;
}

/** How long to wait for a hello. */
export interface ListenerTiming {
  helloTimeoutMs: number;
  timer: Timer;
}

/** An open socket and the bridges behind it. */
export class Listener {
  readonly socket: string;
  readonly #timing: ListenerTiming;
  readonly #remove: () => void;
  readonly #listener: Deno.Listener;
  readonly #members = new Set<Member>();
  readonly #pending = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  #reserved = 0;
  #wake = () => {};
  #closing: Promise<void> | undefined;

  /**
   * Listens on `socket` at once; throws what `Deno.listen` throws. `remove` takes the socket off the
   * file system at the end.
   */
  constructor(socket: string, timing: ListenerTiming, remove: () => void) {
    this.socket = socket;
    this.#timing = timing;
    this.#remove = remove;
    this.#listener = Deno.listen({ transport: "unix", path: socket });
    this.#accepting = this.#accept();
  }

  /** For one bridge, in a fresh 0700 directory below `runtimeDir`. Throws as `makeSocketDirectory`. */
  static fresh(runtimeDir: string, timing: ListenerTiming): Listener {
    const directory = makeSocketDirectory(runtimeDir);
    try {
      const listener = new Listener(directory.socket, timing, directory.remove);
      listener.reserve();
      return listener;
    } catch (error) {
      directory.remove();
      throw error;
    }
  }

  /** Keeps it open for one bridge that will `join` and `leave`; false where it is closed. */
  reserve(): boolean {
    if (this.#closing) return false;
    this.#reserved++;
    return true;
  }

  join(member: Member): void {
    this.#members.add(member);
  }

  /** Resolves when the bridge gets no more relays and, if it was the last, the socket is gone. */
  async leave(member: Member): Promise<void> {
    if (this.#members.delete(member)) this.#reserved--;
    if (this.#reserved === 0) await (this.#closing ??= this.#close());
  }

  /** Closes the socket and whoever waits for an answer. Guests are not touched. */
  async #close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#pending) conn.close();
    this.#pending.clear();
    this.#wake();
    await this.#accepting;
    this.#remove();
  }

  async #accept(): Promise<void> {
    while (!this.#closing) {
      try {
        const conn = await this.#listener.accept();
        if (this.#closing) conn.close();
        else void this.#receive(conn);
      } catch (error) {
        if (this.#closing) return;
        this.#report("too many strangers", `accept failed: ${error}`);
        await new Promise<void>((resolve) => {
          const stop = startTimer(ACCEPT_PAUSE_MS, resolve);
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
    const { timer, helloTimeoutMs } = this.#timing;
    const stop = timer(helloTimeoutMs, () => this.#turnAway(conn, "slow hello"));
    const greeting = await readHello(conn).catch(() => "hung up" as const);
    stop();
    // Turned away while reading: by the timer, by a flood or because the listener closed.
    if (!this.#pending.delete(conn)) return;
    // A client that says nothing and goes only checked that this socket is served (`socket_dir.ts`).
    if (greeting === "silence") return conn.close();
    if (typeof greeting === "string") return this.#refuse(conn, greeting);
    const verdict = this.#admit(greeting.hello);
    if ("reason" in verdict) {
      await answer(conn, { admitted: false, reason: verdict.reason });
      this.#refuse(conn, "not admitted", verdict.reason);
    } else if (await answer(conn, { admitted: true, proof: verdict.proof }) && !this.#closing) {
      verdict.enter({ conn, rest: greeting.rest });
    } else {
      verdict.forgo();
      this.#refuse(conn, "hung up");
    }
  }

  #admit(hello: Hello): Admission | { reason: string } {
    let meant: Member | undefined;
    // Every token is compared, so that the time taken does not tell which one came close.
    for (const member of this.#members) if (sameToken(member.token, hello.token)) meant = member;
    if (!meant) return { reason: "the token is of no running turn" };
    if (hello.version !== LINK_VERSION) {
      return { reason: `the relay speaks version ${hello.version}, the plugin ${LINK_VERSION}` };
    }
    if (hello.agentId !== meant.agentId) return { reason: "the agent is not the turn's" };
    return meant.admit(hello);
  }

  #turnAway(conn: Deno.Conn, refusal: Refusal): void {
    if (this.#pending.delete(conn)) this.#refuse(conn, refusal);
  }

  #refuse(conn: Deno.Conn, refusal: Refusal, detail: string = refusal): void {
    conn.close();
    if (!this.#closing) this.#report(refusal, detail);
  }

  #report(refusal: Refusal, detail: string): void {
    for (const member of this.#members) member.onRefused(refusal, detail);
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

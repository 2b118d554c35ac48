/**
 * The relays of one turn: codex's own and those of its sub-agents, from the door to the MCP server.
 *
 * @module
 */
import type { DoorTurn } from "./door.ts";
import type { Admission, Guest, Refusal } from "./gate.ts";
import type { Session } from "../server/server.ts";

/** Relays of one turn that may be connected at the same time. */
export const RELAYS_MAX = 32;

/** What the relays of a turn need. */
export interface RelaysOptions {
  agentId: string;
  token: string;
  serve: (guest: Guest) => Promise<Session>;
  onStatus: (message: string, data?: Record<string, unknown>) => void;
}

/** Admits relays, serves them and counts. */
export class Relays implements DoorTurn {
  readonly agentId: string;
  readonly token: string;
  /** Relays that were let in so far. */
  connections = 0;
  /** Relays that are connected now. */
  live = 0;
  /** Connections that were turned away so far. */
  refused = 0;

  readonly #options: RelaysOptions;
  readonly #sessions = new Set<Session>();
  readonly #reported = new Set<Refusal>();
  #closed = false;

  constructor(options: RelaysOptions) {
    this.#options = options;
    this.agentId = options.agentId;
    this.token = options.token;
  }

  admit(): Admission | { reason: string } {
    if (this.live >= RELAYS_MAX) return { reason: `${RELAYS_MAX} relays are connected already` };
    this.live++;
    this.connections++;
    return { enter: (guest) => this.#enter(guest), forgo: () => this.live-- };
  }

  onRefused(refusal: Refusal, detail: string): void {
    this.refused++;
    if (this.#reported.has(refusal)) return;
    this.#reported.add(refusal);
    this.#options.onStatus(`host tools: a connection was refused: ${detail}`, { refusal });
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#sessions, (session) => session.close()));
  }

  async #enter(guest: Guest): Promise<void> {
    try {
      const session = await this.#options.serve(guest);
      this.#sessions.add(session);
      if (this.#closed) await session.close();
      await session.closed;
      this.#sessions.delete(session);
    } catch (error) {
      this.#options.onStatus(`host tools: the MCP server failed: ${error}`);
      guest.conn.close();
    } finally {
      this.live--;
    }
  }
}

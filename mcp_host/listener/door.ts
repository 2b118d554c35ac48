/**
 * Where relays arrive: a listening socket and the turns that wait behind it.
 *
 * A turn usually has a door of its own, in a fresh directory. Where codex was told the socket once
 * and for all (`codex_config.ts`), the turns of an agent share a door, and the token a relay shows
 * says which turn it belongs to. A door closes with the last turn that leaves it.
 *
 * @module
 */
import { type Admission, Gate, type Refusal } from "./gate.ts";
import type { Timer } from "../host_tool.ts";
import { type Hello, LINK_VERSION } from "./link.ts";
import { makeSocketDirectory } from "./socket_dir.ts";
import { sameToken } from "./token.ts";

/** A turn as the door sees it. */
export interface DoorTurn {
  readonly token: string;
  readonly agentId: string;
  /** Takes in a relay that showed the token, or says why not. */
  admit(): Admission | { reason: string };
  onRefused(refusal: Refusal, detail: string): void;
}

/** How long to wait for a hello. */
export interface DoorTiming {
  helloTimeoutMs: number;
  timer: Timer;
}

/** An open door. */
export class Door {
  readonly socket: string;
  readonly #turns = new Set<DoorTurn>();
  readonly #gate: Gate;
  readonly #remove: () => void;
  #reserved = 0;
  #closed: Promise<void> | undefined;

  /** Listens on `socket` at once; `remove` takes the socket off the file system at the end. */
  constructor(socket: string, timing: DoorTiming, remove: () => void) {
    this.socket = socket;
    this.#remove = remove;
    this.#gate = new Gate({
      socket,
      ...timing,
      admit: (hello) => this.#admit(hello),
      onRefused: (refusal, detail) => {
        for (const turn of this.#turns) turn.onRefused(refusal, detail);
      },
    });
  }

  /** A door for one turn, in a fresh 0700 directory below `runtimeDir`. Throws as `makeSocketDirectory` does. */
  static fresh(runtimeDir: string, timing: DoorTiming): Door {
    const directory = makeSocketDirectory(runtimeDir);
    try {
      const door = new Door(directory.socket, timing, directory.remove);
      door.reserve();
      return door;
    } catch (error) {
      directory.remove();
      throw error;
    }
  }

  /** Keeps the door open for one turn that will `join` and `leave`; false where it is closed. */
  reserve(): boolean {
    if (this.#closed) return false;
    this.#reserved++;
    return true;
  }

  join(turn: DoorTurn): void {
    this.#turns.add(turn);
  }

  /** Resolves when the turn gets no more relays and, if it was the last, the socket is gone. */
  async leave(turn: DoorTurn): Promise<void> {
    if (this.#turns.delete(turn)) this.#reserved--;
    if (this.#reserved === 0) await (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#gate.close();
    this.#remove();
  }

  #admit(hello: Hello): Admission | { reason: string } {
    let meant: DoorTurn | undefined;
    // Every token is compared, so that the time taken does not tell which one came close.
    for (const turn of this.#turns) if (sameToken(turn.token, hello.token)) meant = turn;
    if (!meant) return { reason: "the token is of no running turn" };
    if (hello.version !== LINK_VERSION) {
      return { reason: `the relay speaks version ${hello.version}, the plugin ${LINK_VERSION}` };
    }
    if (hello.agentId !== meant.agentId) return { reason: "the agent is not the turn's" };
    return meant.admit();
  }
}

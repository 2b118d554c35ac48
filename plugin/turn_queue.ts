/**
 * Who may run when: one turn at a time per workspace, first come first served; over all workspaces
 * as many as are allowed, oldest first.
 *
 * @module
 */

/** Whose turn it is. */
export interface Place {
  agentId: string;
  workspace: string;
}

interface Waiting extends Place {
  start(): void;
}

/** Ends a turn's stay; call it exactly once. */
export type Leave = () => void;

/** The queue of all turns of this process. */
export class TurnQueue {
  readonly #limit: () => number;
  /** The agent whose turn runs, by workspace. */
  readonly #running = new Map<string, string>();
  /** Agents whose turns may not begin now. */
  readonly #held = new Set<string>();
  #waiting: Waiting[] = [];
  /** Told when a turn is over. */
  readonly #listeners = new Set<() => void>();

  /** @param limit Turns that may run at once; 0 for any number. Asked whenever a place is given. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** The agent whose turn runs in the workspace. */
  running(workspace: string): string | undefined {
    return this.#running.get(workspace);
  }

  /**
   * Keeps the agent's turns from beginning in the workspace while something short is done; `undefined`
   * when one runs, or somebody else holds it. Does not wait, and does not count against the limit.
   */
  hold(place: Place): Leave | undefined {
    const key = keyOf(place);
    if (this.#running.get(place.workspace) === place.agentId || this.#held.has(key)) {
      return undefined;
    }
    this.#held.add(key);
    return () => {
      this.#held.delete(key);
      this.#admit();
    };
  }

  /** Resolves when a turn ended somewhere, or `signal` aborts. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#listeners.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", wake);
      this.#listeners.add(wake);
    });
  }

  /** Waits for a place. `undefined` when `signal` aborted first; nothing is held then. */
  enter(place: Place, signal: AbortSignal): Promise<Leave | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const { agentId, workspace } = place;
      const entry: Waiting = {
        ...place,
        start: () => {
          signal.removeEventListener("abort", giveUp);
          this.#running.set(workspace, agentId);
          resolve(() => {
            this.#running.delete(workspace);
            this.#moved();
          });
        },
      };
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        resolve(undefined);
        this.#admit();
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(entry);
      this.#admit();
    });
  }

  #moved(): void {
    this.#admit();
    for (const wake of [...this.#listeners]) wake();
  }

  #admit(): void {
    const limit = this.#limit();
    // Nobody overtakes another one of the same workspace, also when that one's agent is held.
    const taken = new Set(this.#running.keys());
    this.#waiting = this.#waiting.filter((entry) => {
      const full = limit > 0 && this.#running.size >= limit;
      const waits = full || taken.has(entry.workspace) || this.#held.has(keyOf(entry));
      taken.add(entry.workspace);
      if (!waits) entry.start();
      return waits;
    });
  }
}

function keyOf({ agentId, workspace }: Place): string {
  return `${agentId}\0${workspace}`;
}

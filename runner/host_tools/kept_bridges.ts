/**
 * Bridges to the host's tools that outlive a turn, where codex keeps the thread and with it the relay:
 * one for each agent and workspace.
 *
 * @module
 */
import type { Bridge, BridgeCapabilities, BridgeOptions } from "../../mcp_host/bridge.ts";
import type { AgentKey } from "../transport.ts";

interface Kept {
  key: string;
  bridge: Bridge;
  /** A turn works with it. */
  taken: boolean;
}

/** Bridges by agent and workspace. */
export class KeptBridges {
  readonly #kept = new Map<string, Kept>();
  readonly #busy = new Set<Promise<unknown>>();

  /**
   * The agent's bridge where it can stand in for a new one, else a new one, which takes its place.
   * Throws as {@link openBridge} does.
   */
  async take(
    agent: AgentKey,
    options: BridgeOptions,
    capabilities: BridgeCapabilities,
  ): Promise<Bridge> {
    // Loaded only for turns that bring tools.
    const { bridgeKey, openBridge } = await import("../../mcp_host/bridge.ts");
    const place = placeOf(agent);
    const key = bridgeKey(options, capabilities);
    const kept = this.#kept.get(place);
    if (kept?.key === key) {
      kept.taken = true;
      return kept.bridge;
    }
    this.#kept.delete(place);
    return await this.#underWay(async () => {
      await kept?.bridge.close();
      const bridge = await openBridge(options, capabilities);
      this.#kept.set(place, { key, bridge, taken: true });
      return bridge;
    });
  }

  /** The turn is over; the bridge waits for the next one. */
  giveBack(agent: AgentKey): void {
    const kept = this.#kept.get(placeOf(agent));
    if (kept !== undefined) kept.taken = false;
  }

  /** Nobody is left who could use it; one that a turn works with stays. */
  async drop(agent: AgentKey): Promise<void> {
    const place = placeOf(agent);
    const kept = this.#kept.get(place);
    if (kept === undefined || kept.taken) return;
    this.#kept.delete(place);
    await this.#underWay(() => kept.bridge.close());
  }

  /** Closes all of them, also those that are just being opened or closed. */
  async close(): Promise<void> {
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map(({ bridge }) => bridge.close()));
  }

  /** A turn that was stopped does not wait for its bridge, but the plugin's end does. */
  #underWay<T>(work: () => Promise<T>): Promise<T> {
    const busy = work();
    this.#busy.add(busy);
    const done = () => void this.#busy.delete(busy);
    busy.then(done, done);
    return busy;
  }
}

function placeOf({ agentId, workspace }: AgentKey): string {
  return JSON.stringify([agentId, workspace]);
}

/**
 * The host's tools for one turn: opens the bridge that codex reaches them through, or takes one that
 * was kept.
 *
 * @module
 */
import { clip, errorMessage } from "../base/error_message.ts";
import { within } from "../base/timer.ts";
import type { Bridge, BridgeCapabilities, BridgeOptions } from "../mcp_host/bridge.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import { processRow } from "./process/process_table.ts";
import type { AgentKey } from "./transport.ts";
import type { Found } from "./turn.ts";
import { TurnError } from "./turn_event.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";

/** What the bridge asks of the turn. */
export interface HostToolsTurn {
  status(message: string, data?: Record<string, unknown>): void;
  /** Tells the call before it is run, and finds its id. */
  identify(call: HostToolCall): Promise<string | undefined>;
  /** The process of the turn's codex, where it is known by now. */
  codexPid(): number | undefined;
}

/** The host's tools while a turn has them. */
export interface HostTools {
  bridge: Bridge;
  /** Whether codex has them: a relay is there, or was during this turn. */
  isReached(): boolean;
  /** The turn is over. */
  leave(): Promise<void>;
}

/**
 * Opens the bridge when the request brings tools, or takes up the one that was kept: where codex and its
 * relay stay when the turn is over, so does the bridge. The caller leaves it.
 * @throws {TurnError} `mcp_unavailable` when the socket cannot be made: a turn without its tools
 * would be a silent surprise.
 */
export async function openHostTools(
  request: TurnRequest,
  { settings, executable, runtimeDirectory, version, transports }: TurnContext,
  { codex, codexHome, environment, transport }: Found,
  turn: HostToolsTurn,
): Promise<HostTools | undefined> {
  const { tools, agentId, callTool } = request;
  const { bridges } = transports;
  if (!transport.stays || tools.length === 0) await bridges.drop(request);
  if (tools.length === 0) return undefined;
  const options: BridgeOptions = {
    agentId,
    tools,
    executable,
    version,
    runtimeDir: runtimeDirectory,
    toolTimeoutMs: settings.toolTimeoutMs,
    resultMaxBytes: settings.toolResultMaxBytes,
    codexConfig: settings.mcpRegistration === "codex-config"
      ? { codex: codex.path, codexHome, env: environment }
      : undefined,
  };
  try {
    // A thread that is being read again has its relay when that is done.
    if (transport.stays && !await within(SETTLED_MS, transports.settled(request))) {
      await transports.release(request, "leave");
    }
    const { bridge, leave } = await bridges.take(request, options, codex.capabilities);
    const { connections } = bridge;
    const detach = bridge.attach({
      onStatus: (message, data) => turn.status(message, data),
      owns: async (pid) => {
        const codexPid = turn.codexPid();
        return codexPid === undefined ? undefined : await descendsFrom(pid, codexPid);
      },
      call: async (call) => {
        const callId = await turn.identify(call);
        return await callTool({ ...call, callId });
      },
    });
    return {
      bridge,
      isReached: () => bridge.live > 0 || bridge.connections > connections,
      leave: async () => {
        detach();
        await leave(transports.keeps(request));
      },
    };
  } catch (error) {
    throw new TurnError({
      kind: "mcp_unavailable",
      message: clip(`host tools: ${errorMessage(error)}`),
      retryable: true,
      hint: "Set XDG_RUNTIME_DIR to a directory of this user with a short path.",
    });
  }
}

/** How long a codex may take to read its thread again; it takes half a second, and the user's servers more. */
const SETTLED_MS = 15_000;

/** Generations between a process and codex that are looked at: codex starts the relay itself. */
const GENERATIONS = 16;

/** Whether a process descends from another; `undefined` where the system tells of no process at all. */
async function descendsFrom(pid: number, ancestor: number): Promise<boolean | undefined> {
  let at = pid;
  for (let generation = 0; generation < GENERATIONS && at > 1; generation++) {
    if (at === ancestor) return true;
    const row = await processRow(at);
    if (row === undefined) return await processRow(Deno.pid) === undefined ? undefined : false;
    at = row.ppid;
  }
  return false;
}

/*
 * Bridges to the host's tools that outlive a turn, where codex keeps the thread and with it the relay:
 * one for each agent and workspace.
 */

interface Kept {
  key: string;
  bridge: Bridge;
  /** A turn works with it. */
  taken: boolean;
}

/** A bridge that one turn works with. */
export interface Taken {
  bridge: Bridge;
  /** The turn is over. The bridge waits for the next one, if it is to be kept and its relay is still there. */
  leave(keep: boolean): Promise<void>;
}

/** Bridges by agent and workspace. */
export class KeptBridges {
  readonly #kept = new Map<string, Kept>();
  /** Resolves when the last turn of a place that has asked for its bridge has left it. */
  readonly #left = new Map<string, Promise<void>>();
  readonly #busy = new Set<Promise<unknown>>();

  /**
   * The agent's bridge where it can stand in for a new one, else a new one, which takes its place. Waits
   * for a turn that was stopped while its bridge was being opened: it leaves it as soon as it has it.
   * Throws as {@link openBridge} does.
   */
  async take(
    agent: AgentKey,
    options: BridgeOptions,
    capabilities: BridgeCapabilities,
  ): Promise<Taken> {
    const place = placeOf(agent);
    const before = this.#left.get(place);
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    this.#left.set(place, left);
    void left.then(() => {
      if (this.#left.get(place) === left) this.#left.delete(place);
    });
    try {
      await before;
      const bridge = await this.#underWay(() => this.#open(place, options, capabilities));
      return {
        bridge,
        leave: async (keep) => {
          const kept = this.#kept.get(place);
          if (kept !== undefined) kept.taken = false;
          try {
            // Without its relay the thread is loaded anew, and what the relay went by may be gone.
            if (!keep || bridge.live === 0) await this.drop(agent);
          } finally {
            leave();
          }
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #open(
    place: string,
    options: BridgeOptions,
    capabilities: BridgeCapabilities,
  ): Promise<Bridge> {
    // Loaded only for turns that bring tools.
    const { bridgeKey, openBridge } = await import("../mcp_host/bridge.ts");
    const key = bridgeKey(options, capabilities);
    const kept = this.#kept.get(place);
    if (kept?.key === key && kept.bridge.live > 0) {
      kept.taken = true;
      return kept.bridge;
    }
    this.#kept.delete(place);
    await kept?.bridge.close();
    const bridge = await openBridge(options, capabilities);
    this.#kept.set(place, { key, bridge, taken: true });
    return bridge;
  }

  /** Nobody is left who could use it; one that a turn works with stays. */
  async drop(agent: AgentKey): Promise<void> {
    const place = placeOf(agent);
    const kept = this.#kept.get(place);
    if (kept === undefined || kept.taken) return;
    this.#kept.delete(place);
    await this.#underWay(() => kept.bridge.close());
  }

  /** Closes all of them, also those that are just being opened or closed. Never rejects. */
  async close(): Promise<void> {
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
    const all = [...this.#kept.values()];
    this.#kept.clear();
    // What cannot be cleared away is cleared away by the next start.
    await Promise.allSettled(all.map(({ bridge }) => bridge.close()));
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

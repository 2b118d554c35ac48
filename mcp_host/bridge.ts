/**
 * The bridge: how codex reaches the host's tools during one turn.
 *
 * `openBridge` opens a unix socket that only this user can reach, makes a fresh token, and tells
 * with which `-c` values and environment to start codex. codex starts this executable as `mcp-host`,
 * the relay, which shows the token and then carries MCP between codex and the server in here.
 * Sub-agents of the turn start relays of their own with the same token. `close` ends all of it.
 *
 * @module
 */
import type { Bridge, BridgeCapabilities, BridgeOptions } from "./bridge_options.ts";
import { CallDesk } from "./calls.ts";
import { buildCatalogue, type Catalogue, type LeftOut } from "./catalogue.ts";
import { Door, type DoorTiming, type DoorTurn } from "./door.ts";
import type { Admission, Guest, Refusal } from "./gate.ts";
import { wallTimer } from "./host_tool.ts";
import { encodeHello } from "./link.ts";
import { registrationConfig, SERVER_NAME, STARTUP_TIMEOUT_MS } from "./registration.ts";
import type { Session } from "./server.ts";
import { newToken } from "./token.ts";
import { namespaceOf } from "./tool_names.ts";

export type { Bridge, BridgeCapabilities, BridgeOptions } from "./bridge_options.ts";

/** Relays of one turn that may be connected at the same time: codex itself and its sub-agents. */
export const RELAYS_MAX = 32;
/** How long a connection may take to say hello. A relay does so in its first milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;

/** Loads the MCP library, which a bridge otherwise does when it opens. */
export function preloadServer(): Promise<typeof import("./server.ts")> {
  return import("./server.ts");
}

/** Opens a bridge for one turn. Throws where the socket cannot be made, with what to do about it. */
export async function openBridge(
  options: BridgeOptions,
  capabilities: BridgeCapabilities,
): Promise<Bridge> {
  const token = newToken();
  encodeHello(options.agentId, token); // throws where the relay could not say it
  const timing = {
    helloTimeoutMs: options.helloTimeoutMs ?? HELLO_TIMEOUT_MS,
    timer: options.timer ?? wallTimer,
  };
  const place = options.codexConfig
    ? await (await import("./codex_place.ts")).openRegisteredPlace(options, timing)
    : perRunPlace(options, timing);
  return new TurnBridge(options, capabilities, token, place);
}

/** Where relays of the turn arrive, and how codex comes to start them. */
export interface Place {
  /** Absent where registering failed. */
  door?: Door;
  serverName: string;
  /** For `-c`; absent where codex's config has it already. */
  command?: readonly string[];
  /** Variables that the `-c` values must set, because codex's config has others. */
  env?: Record<string, string>;
}

function perRunPlace({ executable, runtimeDir }: BridgeOptions, timing: DoorTiming): Place {
  return {
    door: Door.fresh(runtimeDir, timing),
    serverName: SERVER_NAME,
    command: [...executable, "mcp-host"],
  };
}

class TurnBridge implements Bridge, DoorTurn {
  readonly serverName: string;
  readonly registered: boolean;
  readonly config: string[];
  readonly env: Record<string, string>;
  readonly token: string;
  readonly agentId: string;
  connections = 0;
  refused = 0;

  readonly #options: BridgeOptions;
  readonly #catalogue: Catalogue;
  readonly #desk: CallDesk;
  readonly #door: Door | undefined;
  readonly #sessions = new Set<Session>();
  readonly #server: Promise<typeof import("./server.ts")>;
  readonly #reported = new Set<Refusal>();
  #live = 0;
  #closed: Promise<void> | undefined;

  constructor(
    options: BridgeOptions,
    capabilities: BridgeCapabilities,
    token: string,
    place: Place,
  ) {
    const { onStatus } = options;
    this.#options = options;
    this.agentId = options.agentId;
    this.token = token;
    this.serverName = place.serverName;
    this.#catalogue = buildCatalogue(options.tools, place.serverName, ({ name, reason }) => {
      onStatus(`host tool ${JSON.stringify(name)} left out: ${reason}`, { tool: name });
    });
    this.#desk = new CallDesk({
      catalogue: this.#catalogue,
      call: options.call,
      onCallStarted: options.onCallStarted ?? (() => {}),
      toolTimeoutMs: options.toolTimeoutMs,
      resultMaxBytes: options.resultMaxBytes,
      timer: options.timer ?? wallTimer,
    });
    this.#door = place.door;
    this.#door?.join(this);
    this.registered = place.door !== undefined;
    this.env = place.door
      ? {
        PLEXUM_MCP_SOCKET: place.door.socket,
        PLEXUM_MCP_AGENT_ID: options.agentId,
        PLEXUM_MCP_TOKEN: token,
      }
      : {};
    const shared = (tool: { annotations?: Record<string, unknown> }) =>
      tool.annotations?.readOnlyHint === true;
    this.config = place.door
      ? registrationConfig({
        ...place,
        startupTimeoutMs: options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
        toolTimeoutMs: options.toolTimeoutMs,
        parallel: this.#catalogue.listed.some(shared),
        omitToolsFrom: capabilities.omitToolsFrom,
        resultMaxBytes: options.resultMaxBytes,
      })
      : [];
    if (capabilities.toolsDeferred) {
      onStatus("this codex shows host tools to the model through its tool search only");
    }
    this.#server = this.#prepare();
    this.#server.catch(() => {});
  }

  get leftOut(): readonly LeftOut[] {
    return this.#catalogue.leftOut;
  }

  hostName(namespace: string | undefined, name: string): string | undefined {
    const prefix = namespaceOf(this.serverName);
    if (namespace === prefix) return this.#catalogue.names.toHost.get(name);
    if (namespace || !name.startsWith(`${prefix}__`)) return undefined;
    return this.#catalogue.names.toHost.get(name.slice(prefix.length + 2));
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#desk.close("the turn ended");
    await this.#door?.leave(this);
    await Promise.all(Array.from(this.#sessions, (session) => session.close()));
    await this.#server.catch(() => {});
  }

  /** Loads the server while codex starts, and looks at the schemas more closely. */
  async #prepare(): Promise<typeof import("./server.ts")> {
    const server = await preloadServer();
    await server.leaveOutUncompilable(this.#catalogue, () => this.#closed !== undefined);
    return server;
  }

  admit(): Admission | { reason: string } {
    if (this.#live >= RELAYS_MAX) return { reason: `${RELAYS_MAX} relays are connected already` };
    this.#live++;
    this.connections++;
    return { enter: (guest) => this.#serve(guest), forgo: () => this.#live-- };
  }

  onRefused(refusal: Refusal, detail: string): void {
    this.refused++;
    if (this.#reported.has(refusal)) return;
    this.#reported.add(refusal);
    this.#options.onStatus(`host tools: a connection was refused: ${detail}`, { refusal });
  }

  async #serve(guest: Guest): Promise<void> {
    try {
      const { serve } = await this.#server;
      if (this.#closed) return guest.conn.close();
      const session = await serve(guest, {
        catalogue: this.#catalogue,
        desk: this.#desk,
        instructions: instructions(this.agentId),
        version: this.#options.version ?? "0",
        onStatus: this.#options.onStatus,
      });
      this.#sessions.add(session);
      await session.closed;
      this.#sessions.delete(session);
    } catch (error) {
      this.#options.onStatus(`host tools: the MCP server failed: ${error}`);
      guest.conn.close();
    } finally {
      this.#live--;
    }
  }
}

/** What the model reads about the namespace. */
function instructions(agentId: string): string {
  return `Tools that the Plexum host offers to the agent ${JSON.stringify(agentId)}. They run in ` +
    `the host, outside this sandbox, and are called directly as functions.`;
}

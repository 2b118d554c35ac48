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
import { CallDesk } from "./server/calls.ts";
import { buildCatalogue, type Catalogue, type LeftOut } from "./server/catalogue.ts";
import { Door, type DoorTiming } from "./listener/door.ts";
import { wallTimer } from "./host_tool.ts";
import { encodeHello } from "./listener/link.ts";
import type { Place } from "./listener/place.ts";
import {
  registrationConfig,
  SERVER_NAME,
  STARTUP_TIMEOUT_MS,
} from "./registration/registration.ts";
import { Relays } from "./listener/relays.ts";
import { newToken } from "./listener/token.ts";
import { namespaceOf } from "./server/tool_names.ts";

export type { Bridge, BridgeCapabilities, BridgeOptions } from "./bridge_options.ts";

/** How long a connection may take to say hello. A relay does so in its first milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;

/** Loads the MCP library, which a bridge otherwise does when it opens. */
export function preloadServer(): Promise<typeof import("./server/server.ts")> {
  return import("./server/server.ts");
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
    ? await (await import("./registration/codex_place.ts")).openRegisteredPlace(options, timing)
    : perRunPlace(options, timing);
  return new TurnBridge(options, capabilities, token, place);
}

function perRunPlace({ executable, runtimeDir }: BridgeOptions, timing: DoorTiming): Place {
  return {
    door: Door.fresh(runtimeDir, timing),
    serverName: SERVER_NAME,
    command: [...executable, "mcp-host"],
  };
}

class TurnBridge implements Bridge {
  readonly serverName: string;
  readonly registered: boolean;
  readonly config: string[];
  readonly env: Record<string, string>;

  readonly #catalogue: Catalogue;
  readonly #desk: CallDesk;
  readonly #door: Door | undefined;
  readonly #relays: Relays;
  readonly #server: Promise<typeof import("./server/server.ts")>;
  #closed: Promise<void> | undefined;

  constructor(
    options: BridgeOptions,
    capabilities: BridgeCapabilities,
    token: string,
    place: Place,
  ) {
    const { agentId, onStatus } = options;
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
    this.#relays = new Relays({
      agentId,
      token,
      onStatus,
      serve: async (guest) =>
        (await this.#server).serve(guest, {
          catalogue: this.#catalogue,
          desk: this.#desk,
          instructions: instructions(agentId),
          version: options.version ?? "0",
          onStatus,
        }),
    });
    this.#door = place.door;
    this.#door?.join(this.#relays);
    this.registered = place.door !== undefined;
    this.env = place.door
      ? {
        PLEXUM_MCP_SOCKET: place.door.socket,
        PLEXUM_MCP_AGENT_ID: agentId,
        PLEXUM_MCP_TOKEN: token,
      }
      : {};
    this.config = place.door ? this.#config(options, capabilities, place) : [];
    if (capabilities.toolsDeferred) {
      onStatus("this codex shows host tools to the model through its tool search only");
    }
    this.#server = this.#prepare();
    this.#server.catch(() => {});
  }

  get leftOut(): readonly LeftOut[] {
    return this.#catalogue.leftOut;
  }

  get connections(): number {
    return this.#relays.connections;
  }

  get refused(): number {
    return this.#relays.refused;
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
    await this.#door?.leave(this.#relays);
    await this.#relays.close();
    await this.#server.catch(() => {});
  }

  #config(options: BridgeOptions, capabilities: BridgeCapabilities, place: Place): string[] {
    const shared = this.#catalogue.listed.filter((tool) => tool.annotations?.readOnlyHint === true);
    return registrationConfig({
      ...place,
      startupTimeoutMs: options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
      toolTimeoutMs: options.toolTimeoutMs,
      parallel: shared.length > 0,
      omitToolsFrom: capabilities.omitToolsFrom,
      resultMaxBytes: options.resultMaxBytes,
    });
  }

  /** Loads the server while codex starts, and looks at the schemas more closely. */
  async #prepare(): Promise<typeof import("./server/server.ts")> {
    const server = await preloadServer();
    await server.leaveOutUncompilable(this.#catalogue, () => this.#closed !== undefined);
    return server;
  }
}

/** What the model reads about the namespace. */
function instructions(agentId: string): string {
  return `Tools that the Plexum host offers to the agent ${JSON.stringify(agentId)}. They run in ` +
    `the host, outside this sandbox, and are called directly as functions.`;
}

/**
 * The bridge: how codex reaches the host's tools.
 *
 * `openBridge` opens a unix socket that only this user can reach, makes a fresh token, and tells how
 * codex has to be configured. codex starts this executable as `mcp-host`, the relay, which shows the
 * token and then carries MCP between codex and the server in here. Sub-agents of the turn start
 * relays of their own with the same token.
 *
 * A bridge may outlive a turn, where codex keeps the thread and with it the relay: a turn `attach`es
 * itself, gets the calls that are made while it runs, and lets go. Between turns calls are refused.
 *
 * @module
 */
import { buildCatalogue, type Catalogue, type LeftOut } from "./server/catalogue.ts";
import { CallDesk } from "./server/calls.ts";
import type { CodexConfig } from "./registration/codex_config.ts";
import { Door, type DoorTiming } from "./listener/door.ts";
import type { HostTool, HostToolCall, HostToolResult, Timer } from "./host_tool.ts";
import { wallTimer } from "./host_tool.ts";
import { encodeHello } from "./listener/link.ts";
import type { Place } from "./listener/place.ts";
import {
  outputTokenLimit,
  SERVER_NAME,
  serverEntry,
  STARTUP_TIMEOUT_MS,
} from "./registration/registration.ts";
import { Relays } from "./listener/relays.ts";
import { newToken } from "./listener/token.ts";
import { namespaceOf } from "./server/tool_names.ts";
import type { TomlValue } from "../base/toml.ts";

/** How long a connection may take to say hello. A relay does so in its first milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;

/** What a bridge is made of. Times are milliseconds. */
export interface BridgeOptions {
  agentId: string;
  tools: readonly HostTool[];
  /** How codex starts this executable: path and leading arguments; `mcp-host` is appended. */
  executable: readonly string[];
  /** Where the socket's directory is made: `$XDG_RUNTIME_DIR` or a temp directory. */
  runtimeDir: string;
  toolTimeoutMs: number;
  resultMaxBytes: number;
  startupTimeoutMs?: number;
  /** Named to codex as the server's version. */
  version?: string;
  /** Register in codex's own config (`codex mcp add`) instead of for this run only. */
  codexConfig?: CodexConfig | undefined;
  helloTimeoutMs?: number;
  timer?: Timer;
}

/** What the installed codex can. */
export interface BridgeCapabilities {
  /** Knows `omit_tools_from` (0.148 and later). */
  omitToolsFrom: boolean;
  /** Hides MCP tools behind a tool search, with no way round (0.142 to 0.146). */
  toolsDeferred?: boolean;
}

/** The turn that a bridge works for. */
export interface BridgeTurn {
  /** Runs a tool at the host. */
  call: (call: HostToolCall) => Promise<HostToolResult>;
  /** A tool left out, a stranger refused, …: what an operator would want to read. */
  onStatus: (message: string, data?: Record<string, unknown>) => void;
}

/** What codex has to be told to reach the tools: an MCP server in its configuration. */
export interface BridgeAccess {
  /** The server's name in codex. */
  name: string;
  /** The entry below `mcp_servers`, without what is in `env`. Nothing in it is secret. */
  server: Record<string, TomlValue>;
  /** For the relay's environment: socket, agent id, token. Secret. */
  env: Record<string, string>;
  /** Other keys of codex's configuration, with their values. */
  config: Record<string, TomlValue>;
  /** Another one for every bridge: a thread that was loaded with it need not be told anything new. */
  fingerprint: string;
}

/** An open bridge. */
export interface Bridge {
  /** Absent where registering in codex's config failed; the turn then runs without host tools. */
  readonly access: BridgeAccess | undefined;
  readonly leftOut: readonly LeftOut[];
  /**
   * The host's own name for a tool as codex records it, or `undefined` where it is none of ours.
   * codex writes `mcp__<server>` and the name in two fields; some places show both in one name.
   */
  hostName(namespace: string | undefined, name: string): string | undefined;
  /** Relays that were let in so far. 0 after codex announced its thread: it runs without tools. */
  readonly connections: number;
  /** Relays that are connected now. */
  readonly live: number;
  /** Connections that were turned away so far. */
  readonly refused: number;
  /**
   * Calls go to this turn from now on, until the function that is returned is called, which cancels
   * those under way. One turn at a time.
   */
  attach(turn: BridgeTurn): () => void;
  /** Cancels calls under way, ends connections, removes the socket. Idempotent. */
  close(): Promise<void>;
}

/** Loads the MCP library, which a bridge otherwise does when it opens. */
export function preloadServer(): Promise<typeof import("./server/server.ts")> {
  return import("./server/server.ts");
}

/** Equal for bridges that may stand in for each other. */
export function bridgeKey(options: BridgeOptions, capabilities: BridgeCapabilities): string {
  const { timer: _timer, codexConfig, ...plain } = options;
  const { omitToolsFrom } = capabilities;
  return JSON.stringify([plain, codexConfig?.codex, codexConfig?.codexHome, omitToolsFrom]);
}

/** Opens a bridge. Throws where the socket cannot be made, with what to do about it. */
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
  return new OpenBridge(options, capabilities, token, place);
}

function perRunPlace({ executable, runtimeDir }: BridgeOptions, timing: DoorTiming): Place {
  return {
    door: Door.fresh(runtimeDir, timing),
    serverName: SERVER_NAME,
    command: [...executable, "mcp-host"],
  };
}

class OpenBridge implements Bridge {
  readonly access: BridgeAccess | undefined;
  readonly #serverName: string;
  readonly #catalogue: Catalogue;
  readonly #desk: CallDesk;
  readonly #door: Door | undefined;
  readonly #relays: Relays;
  readonly #server: Promise<typeof import("./server/server.ts")>;
  /** What every turn is to know. */
  readonly #notices: { message: string; data: Record<string, unknown> | undefined }[] = [];
  #turn: BridgeTurn | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    options: BridgeOptions,
    capabilities: BridgeCapabilities,
    token: string,
    place: Place,
  ) {
    const { agentId } = options;
    const onStatus = (message: string, data?: Record<string, unknown>) =>
      this.#turn?.onStatus(message, data);
    this.#serverName = place.serverName;
    this.#catalogue = buildCatalogue(options.tools, place.serverName, ({ name, reason }) => {
      this.#notice(`host tool ${JSON.stringify(name)} left out: ${reason}`, { tool: name });
    });
    this.#desk = new CallDesk({
      catalogue: this.#catalogue,
      handler: () => this.#turn?.call,
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
    this.access = place.door && {
      name: place.serverName,
      server: serverEntry({
        command: place.command,
        env: place.env,
        startupTimeoutMs: options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
        toolTimeoutMs: options.toolTimeoutMs,
        parallel: this.#catalogue.listed.some((tool) => tool.annotations?.readOnlyHint === true),
        omitToolsFrom: capabilities.omitToolsFrom,
      }),
      env: {
        PLEXUM_MCP_SOCKET: place.door.socket,
        PLEXUM_MCP_AGENT_ID: agentId,
        PLEXUM_MCP_TOKEN: token,
      },
      config: { tool_output_token_limit: outputTokenLimit(options.resultMaxBytes) },
      fingerprint: newToken(),
    };
    if (place.fault) this.#notice(`host tools are not available in this turn: ${place.fault}`);
    if (capabilities.toolsDeferred) {
      this.#notice("this codex shows host tools to the model through its tool search only");
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

  get live(): number {
    return this.#relays.live;
  }

  get refused(): number {
    return this.#relays.refused;
  }

  hostName(namespace: string | undefined, name: string): string | undefined {
    const prefix = namespaceOf(this.#serverName);
    if (namespace === prefix) return this.#catalogue.names.toHost.get(name);
    if (namespace || !name.startsWith(`${prefix}__`)) return undefined;
    return this.#catalogue.names.toHost.get(name.slice(prefix.length + 2));
  }

  attach(turn: BridgeTurn): () => void {
    if (this.#turn) throw new Error("Cannot attach a turn: the bridge works for another one");
    this.#turn = turn;
    for (const { message, data } of this.#notices) turn.onStatus(message, data);
    return () => {
      if (this.#turn !== turn) return;
      this.#turn = undefined;
      this.#desk.abort("the turn ended");
    };
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#turn = undefined;
    this.#desk.abort("the turn ended");
    await this.#door?.leave(this.#relays);
    await this.#relays.close();
    await this.#server.catch(() => {});
  }

  #notice(message: string, data?: Record<string, unknown>): void {
    this.#notices.push({ message, data });
    this.#turn?.onStatus(message, data);
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

/**
 * The bridge: how codex reaches the host's tools during one turn.
 *
 * `openBridge` makes a 0700 directory with a unix socket in it and a fresh token, and tells with
 * which `-c` values and environment to start codex. codex starts this executable as `mcp-host`, the
 * relay, which shows the token and then carries MCP between codex and the server in here. Sub-agents
 * of the turn start relays of their own with the same token. `close` ends all of it.
 *
 * @module
 */
import { CallDesk } from "./calls.ts";
import { buildCatalogue, type Catalogue, type LeftOut } from "./catalogue.ts";
import { type Admission, Gate, type Guest, type Refusal } from "./gate.ts";
import type { HostTool, HostToolCall, HostToolResult, Timer } from "./host_tool.ts";
import { wallTimer } from "./host_tool.ts";
import { encodeHello, type Hello, LINK_VERSION } from "./link.ts";
import { registrationConfig, SERVER_NAME, STARTUP_TIMEOUT_MS } from "./registration.ts";
import type { Session } from "./server.ts";
import { makeSocketDirectory } from "./socket_dir.ts";
import { newToken, sameToken } from "./token.ts";

/** Relays of one turn that may be connected at the same time: codex itself and its sub-agents. */
export const RELAYS_MAX = 32;
/** How long a connection may take to say hello. A relay does so in its first milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;

/** What a bridge is made of. Times are milliseconds. */
export interface BridgeOptions {
  agentId: string;
  tools: readonly HostTool[];
  /** Runs a tool at the host. */
  call: (call: HostToolCall) => Promise<HostToolResult>;
  /** How codex starts this executable: path and leading arguments; `mcp-host` is appended. */
  executable: readonly string[];
  /** Where the socket's directory is made: `$XDG_RUNTIME_DIR` or a temp directory. */
  runtimeDir: string;
  toolTimeoutMs: number;
  resultMaxBytes: number;
  startupTimeoutMs?: number;
  /** Named to codex as the server's version. */
  version?: string;
  /** A tool left out, a stranger refused, …: what an operator would want to read. */
  onStatus: (message: string, data?: Record<string, unknown>) => void;
  /** Told of every call before anything is done about it. */
  onCallStarted?: (call: { callId?: string; name: string }) => void;
  helloTimeoutMs?: number;
  timer?: Timer;
}

/** What the installed codex can. */
export interface BridgeCapabilities {
  /** Knows `omit_tools_from` (0.148 and later). */
  omitToolsFrom: boolean;
}

/** An open bridge. */
export interface Bridge {
  /** The server's name in codex. */
  readonly serverName: string;
  /** Values for codex's `-c`, in order. */
  readonly config: string[];
  /** To be added to codex's environment; the token is in here. */
  readonly env: Record<string, string>;
  readonly leftOut: readonly LeftOut[];
  /**
   * The host's own name for a tool as codex records it, or `undefined` where it is none of ours.
   * codex writes `mcp__<server>` and the name in two fields; some places show both in one name.
   */
  hostName(namespace: string | undefined, name: string): string | undefined;
  /** Relays that were let in so far. 0 after codex announced its thread: it runs without tools. */
  readonly connections: number;
  /** Connections that were turned away so far. */
  readonly refused: number;
  /** Cancels calls under way, ends connections, removes the socket. Idempotent. */
  close(): Promise<void>;
}

/** Loads the MCP library, which a bridge otherwise does when it opens. */
export function preloadServer(): Promise<typeof import("./server.ts")> {
  return import("./server.ts");
}

/** Opens a bridge for one turn. Throws where the socket cannot be made, with what to do about it. */
export function openBridge(
  options: BridgeOptions,
  capabilities: BridgeCapabilities,
): Promise<Bridge> {
  return Promise.resolve().then(() => new TurnBridge(options, capabilities));
}

class TurnBridge implements Bridge {
  readonly serverName: string = SERVER_NAME;
  readonly config: string[];
  readonly env: Record<string, string>;
  connections = 0;
  refused = 0;

  readonly #options: BridgeOptions;
  readonly #catalogue: Catalogue;
  readonly #desk: CallDesk;
  readonly #gate: Gate;
  readonly #token = newToken();
  readonly #directory: { remove(): void };
  readonly #sessions = new Set<Session>();
  readonly #server: Promise<typeof import("./server.ts")>;
  readonly #reported = new Set<Refusal>();
  #live = 0;
  #closed?: Promise<void>;

  constructor(options: BridgeOptions, capabilities: BridgeCapabilities) {
    const timer = options.timer ?? wallTimer;
    this.#options = options;
    encodeHello(options.agentId, this.#token); // throws where the relay could not say it
    this.#catalogue = buildCatalogue(
      options.tools,
      ({ name, reason }) =>
        options.onStatus(`host tool ${JSON.stringify(name)} left out: ${reason}`, { tool: name }),
    );
    this.#desk = new CallDesk({
      catalogue: this.#catalogue,
      call: options.call,
      onCallStarted: options.onCallStarted ?? (() => {}),
      toolTimeoutMs: options.toolTimeoutMs,
      resultMaxBytes: options.resultMaxBytes,
      timer,
    });
    const directory = makeSocketDirectory(options.runtimeDir);
    this.#directory = directory;
    try {
      this.#gate = new Gate({
        socket: directory.socket,
        helloTimeoutMs: options.helloTimeoutMs ?? HELLO_TIMEOUT_MS,
        timer,
        admit: (hello) => this.#admit(hello),
        onRefused: (refusal, detail) => this.#refuse(refusal, detail),
      });
    } catch (error) {
      directory.remove();
      throw error;
    }
    this.env = {
      PLEXUM_MCP_SOCKET: directory.socket,
      PLEXUM_MCP_AGENT_ID: options.agentId,
      PLEXUM_MCP_TOKEN: this.#token,
    };
    this.config = registrationConfig({
      serverName: this.serverName,
      command: [...options.executable, "mcp-host"],
      startupTimeoutMs: options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
      toolTimeoutMs: options.toolTimeoutMs,
      parallel: this.#catalogue.listed.some((tool) => tool.annotations?.readOnlyHint === true),
      omitToolsFrom: capabilities.omitToolsFrom,
      resultMaxBytes: options.resultMaxBytes,
    });
    this.#server = this.#prepare();
    this.#server.catch(() => {});
  }

  get leftOut(): readonly LeftOut[] {
    return this.#catalogue.leftOut;
  }

  hostName(namespace: string | undefined, name: string): string | undefined {
    const prefix = `mcp__${this.serverName}`;
    if (namespace === prefix) return this.#catalogue.names.toHost.get(name);
    if (namespace || !name.startsWith(`${prefix}__`)) return undefined;
    return this.#catalogue.names.toHost.get(name.slice(prefix.length + 2));
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#desk.close("the turn ended");
    await this.#gate.close();
    await Promise.all(Array.from(this.#sessions, (session) => session.close()));
    await this.#server.catch(() => {});
    this.#directory.remove();
  }

  /** Loads the server while codex starts, and looks at the schemas more closely. */
  async #prepare(): Promise<typeof import("./server.ts")> {
    const server = await preloadServer();
    server.leaveOutUncompilable(this.#catalogue);
    return server;
  }

  #admit(hello: Hello): Admission | { reason: string } {
    if (!sameToken(this.#token, hello.token)) return { reason: "the token is not this turn's" };
    if (hello.version !== LINK_VERSION) {
      return { reason: `the relay speaks version ${hello.version}, the plugin ${LINK_VERSION}` };
    }
    if (hello.agentId !== this.#options.agentId) return { reason: "the agent is not this turn's" };
    if (this.#live >= RELAYS_MAX) return { reason: `${RELAYS_MAX} relays are connected already` };
    this.#live++;
    this.connections++;
    return { enter: (guest) => this.#serve(guest), forgo: () => this.#live-- };
  }

  async #serve(guest: Guest): Promise<void> {
    try {
      const { serve } = await this.#server;
      if (this.#closed) return guest.conn.close();
      const session = await serve(guest, {
        catalogue: this.#catalogue,
        desk: this.#desk,
        instructions: instructions(this.#options.agentId),
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

  #refuse(refusal: Refusal, detail: string): void {
    this.refused++;
    if (this.#reported.has(refusal)) return;
    this.#reported.add(refusal);
    this.#options.onStatus(`host tools: a connection was refused: ${detail}`, { refusal });
  }
}

/** What the model reads about the namespace. */
function instructions(agentId: string): string {
  return `Tools that the Plexum host offers to the agent ${JSON.stringify(agentId)}. They run in ` +
    `the host, outside this sandbox, and are called directly as functions.`;
}

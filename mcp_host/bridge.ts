/**
 * The bridge: how codex reaches the host's tools.
 *
 * `openBridge` opens a unix socket that only this user can reach, makes a fresh token, and tells how
 * codex has to be configured. codex starts this executable as `mcp-host`, the relay, which shows the
 * token and then carries MCP between codex and the server in here. Sub-agents of the turn start
 * relays of their own with the same token.
 *
 * A bridge may outlive a turn, where codex keeps the thread and with it the relay: a turn `attach`es
 * itself, gets the calls that are made while it runs, and lets go. Between turns relays are let in, and
 * calls are refused.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import { startTimer, type Timer } from "../base/timer.ts";
import type { Address, CodexConfig } from "./fixed_socket.ts";
import type { HostTool, HostToolAnswer, HostToolCall } from "./host_tool.ts";
import { encodeHello, type Hello } from "./listener/hello.ts";
import {
  type Admission,
  type Guest,
  Listener,
  type ListenerTiming,
  type Member,
  type Refusal,
} from "./listener/listener.ts";
import { newToken } from "./listener/token.ts";
import { type Owns, PeerProof } from "./listener/peer_proof.ts";
import {
  type BridgeAccess,
  bridgeAccess,
  SERVER_NAME,
  STARTUP_TIMEOUT_MS,
} from "./registration.ts";
import { buildCatalogue, type Catalogue, type LeftOut, namespaceOf } from "./server/catalogue.ts";
import { type McpService, serveConnection } from "./server/mcp_server.ts";
import { ToolCalls } from "./server/tool_calls.ts";

/** How long a connection may take to say hello. A relay does so in its first milliseconds. */
export const HELLO_TIMEOUT_MS = 5_000;
/** Relays of one bridge that may be connected at the same time. */
export const RELAYS_MAX = 32;

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
  /**
   * From so many MCP tools on it hides all of them behind a tool search, with no way round;
   * `undefined` where it never does.
   */
  toolsDeferredFrom?: number | undefined;
  /** Takes a result without content for a failure (0.135). */
  emptyResultFails?: boolean;
}

/** The turn that a bridge works for. */
export interface BridgeTurn {
  /** Runs a tool at the host. */
  call: (call: HostToolCall) => Promise<HostToolAnswer>;
  /** A tool left out, a stranger refused, …: what an operator would want to read. */
  onStatus: (message: string, data?: Record<string, unknown>) => void;
  /** Without it whoever shows the token is let in. */
  owns?: Owns | undefined;
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
  /** Relays that were let in so far. */
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
  encodeHello(options.agentId, newToken(), 2 ** 22); // throws where the relay could not say it
  const timing = {
    helloTimeoutMs: options.helloTimeoutMs ?? HELLO_TIMEOUT_MS,
    timer: options.timer ?? startTimer,
  };
  const address = options.codexConfig
    ? await (await import("./fixed_socket.ts")).openFixedSocket(options, timing)
    : freshAddress(options, timing);
  return new OpenBridge(options, capabilities, address);
}

function freshAddress({ executable, runtimeDir }: BridgeOptions, timing: ListenerTiming): Address {
  return {
    listener: Listener.fresh(runtimeDir, timing),
    serverName: SERVER_NAME,
    command: [...executable, "mcp-host"],
  };
}

class OpenBridge implements Bridge, Member {
  readonly access: BridgeAccess | undefined;
  readonly token: string = newToken();
  readonly agentId: string;
  connections = 0;
  live = 0;
  refused = 0;

  readonly #serverName: string;
  readonly #catalogue: Catalogue;
  readonly #calls: ToolCalls;
  readonly #listener: Listener | undefined;
  readonly #service: McpService;
  /** The schema validator, which is loaded while codex starts. */
  readonly #validator: Promise<typeof import("./server/arguments.ts")>;
  /** What every turn is to know. */
  readonly #notices: { message: string; data: Record<string, unknown> | undefined }[] = [];
  readonly #reported = new Set<Refusal>();
  readonly #ended = new AbortController();
  readonly #relays = new Set<Promise<void>>();
  #turn: BridgeTurn | undefined;
  /** Of the turn that works with it, or did last: a thread that is read again between turns has its relay. */
  #owns: Owns | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: BridgeOptions, capabilities: BridgeCapabilities, address: Address) {
    this.agentId = options.agentId;
    this.#serverName = address.serverName;
    this.#listener = address.listener;
    this.#catalogue = buildCatalogue(options.tools, address.serverName, ({ name, reason }) => {
      this.#notice(`host tool ${JSON.stringify(name)} left out: ${reason}`, { tool: name });
    });
    this.#calls = new ToolCalls({
      catalogue: this.#catalogue,
      handler: () => this.#turn?.call,
      fault: async (schema, args) => (await this.#validator).argumentFault(schema, args),
      toolTimeoutMs: options.toolTimeoutMs,
      resultMaxBytes: options.resultMaxBytes,
      emptyResultFails: capabilities.emptyResultFails ?? false,
      timer: options.timer ?? startTimer,
    });
    this.#service = {
      version: options.version ?? "0",
      instructions: instructions(this.agentId),
      tools: async () => {
        await this.#validator;
        return this.#catalogue.listed;
      },
      call: (call) => this.#calls.run(call),
      onOddity: (what) => this.#status(`host tools: codex's side of the connection: ${what}`),
    };
    this.#listener?.join(this);
    this.access = this.#listener && bridgeAccess({
      serverName: address.serverName,
      command: address.command,
      env: address.env,
      startupTimeoutMs: options.startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
      toolTimeoutMs: options.toolTimeoutMs,
      resultMaxBytes: options.resultMaxBytes,
      parallel: this.#catalogue.entries().some((entry) => entry.shared),
      omitToolsFrom: capabilities.omitToolsFrom,
    }, {
      PLEXUM_MCP_SOCKET: this.#listener.socket,
      PLEXUM_MCP_AGENT_ID: this.agentId,
      PLEXUM_MCP_TOKEN: this.token,
    });
    if (address.fault) {
      this.#notice(`host tools are not available in this turn: ${address.fault}`);
    }
    this.#noticeOfDeferral(capabilities.toolsDeferredFrom);
    this.#validator = this.#prepare();
    this.#validator.catch(() => {});
  }

  get leftOut(): readonly LeftOut[] {
    return this.#catalogue.leftOut;
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
    this.#owns = turn.owns;
    for (const { message, data } of this.#notices) turn.onStatus(message, data);
    return () => {
      if (this.#turn !== turn) return;
      this.#turn = undefined;
      this.#calls.abort("the turn ended");
    };
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  admit({ pid }: Hello): Admission | { reason: string } {
    if (this.live >= RELAYS_MAX) return { reason: `${RELAYS_MAX} relays are connected already` };
    if (this.#closed) return { reason: "the agent's turns are over" };
    const owns = this.#owns;
    let proof: PeerProof | undefined;
    try {
      if (owns && PeerProof.possible && this.#listener) {
        proof = new PeerProof(this.#listener.socket);
      }
    } catch (error) {
      return { reason: `its proof cannot be asked for: ${errorMessage(error)}` };
    }
    this.live++;
    this.connections++;
    return {
      proof: proof?.path,
      enter: (guest) => {
        const relay = this.#enter(guest, pid, proof, owns).finally(() =>
          this.#relays.delete(relay)
        );
        this.#relays.add(relay);
      },
      forgo: () => {
        proof?.[Symbol.dispose]();
        this.live--;
      },
    };
  }

  onRefused(refusal: Refusal, detail: string): void {
    this.refused++;
    if (this.#reported.has(refusal)) return;
    this.#reported.add(refusal);
    this.#status(`host tools: a connection was refused: ${detail}`, { refusal });
  }

  /** Serves a relay until either side ends; a stranger gets no tools and runs none. */
  async #enter(
    guest: Guest,
    pid: number,
    proof: PeerProof | undefined,
    owns: Owns | undefined,
  ): Promise<void> {
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, this.#ended.signal]);
    const verified = proof && owns ? proof.shownBy(pid, owns, signal) : Promise.resolve(true);
    verified.then((its) => {
      if (its || signal.aborted) return;
      this.connections--;
      left.abort();
      this.onRefused("not admitted", `process ${pid} showed the token, but is not codex's`);
    });
    try {
      await serveConnection(guest, {
        ...this.#service,
        tools: async () => await verified ? await this.#service.tools() : [],
        call: async (call) => {
          if (await verified) return await this.#service.call(call);
          throw new Error("this connection is not codex's");
        },
      }, signal);
    } finally {
      left.abort();
      this.live--;
    }
  }

  async #end(): Promise<void> {
    this.#turn = undefined;
    this.#calls.abort("the turn ended");
    try {
      await this.#listener?.leave(this);
    } finally {
      this.#ended.abort();
      await Promise.all([...this.#relays, this.#validator.catch(() => {})]);
    }
  }

  #status(message: string, data?: Record<string, unknown>): void {
    this.#turn?.onStatus(message, data);
  }

  #notice(message: string, data?: Record<string, unknown>): void {
    this.#notices.push({ message, data });
    this.#status(message, data);
  }

  #noticeOfDeferral(from: number | undefined): void {
    const { length } = this.#catalogue.listed;
    if (from === undefined || length < from) return;
    const search = "this codex shows host tools to the model through its tool search only";
    this.#notice(
      from <= 1 ? search : `with ${from} tools or more, as here with ${length}, ${search}`,
    );
  }

  /** Loads the validator while codex starts, and looks at the schemas more closely. */
  async #prepare(): Promise<typeof import("./server/arguments.ts")> {
    const validator = await import("./server/arguments.ts");
    await validator.leaveOutUncompilable(this.#catalogue, () => this.#closed !== undefined);
    return validator;
  }
}

/** What the model reads about the namespace. */
function instructions(agentId: string): string {
  return `Tools that the Plexum host offers to the agent ${JSON.stringify(agentId)}. They run in ` +
    `the host, outside this sandbox, and are called directly as functions.`;
}

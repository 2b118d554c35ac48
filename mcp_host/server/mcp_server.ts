/**
 * MCP as a server of tools speaks it: handshake, ping, list, call. One per connection.
 *
 * Not the official SDK's server: that parses arguments and results and writes them again, which
 * changes numbers and more (`base/raw_json.ts`), and takes 55 ms to load, for which codex would wait.
 * The official client, its inspector and the MCP project's conformance suite are held against this one
 * in the tests.
 *
 * @module
 */
import { isObject } from "../../base/json_object.ts";
import { FrameWriter, RPC_CODE, RpcError } from "../../base/jsonrpc/frame.ts";
import { type Handlers, Peer, type RequestContext } from "../../base/jsonrpc/peer.ts";
import { RawJson, stringify, wellFormedJson } from "../../base/raw_json.ts";

/** Versions whose handshake, list and call are alike; the first is offered to whoever asks for others. */
const PROTOCOL_VERSIONS = ["2025-06-18", "2025-11-25", "2025-03-26", "2024-11-05", "2024-10-07"];
/** Longest message in either direction, in bytes. */
export const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;
/** Bytes waiting to be written above which reading pauses. */
const UNREAD_MAX_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Requests of one connection that may run at once; calls have a bound of their own below it. */
const REQUESTS_MAX = 1000;

/** A `tools/call`, its arguments as they were written. */
export interface ToolCall {
  name: string;
  arguments: RawJson;
  /** codex's own call id; 0.148 and later send it. */
  callId?: string;
  /** The thread that calls: a sub-agent has one of its own. */
  threadId?: string;
  /** Aborts when the client cancels the call or is gone. */
  signal: AbortSignal;
}

/** What is served. */
export interface McpService {
  version: string;
  /** Shown to the model as the description of the tools' namespace. */
  instructions?: string;
  /** All tools, on one page: codex before 0.164 reads the first page only. */
  tools(): Promise<unknown[]>;
  /** Answers with a CallToolResult. */
  call(call: ToolCall): Promise<unknown>;
  /** What is odd and not fatal, without anything that was said. */
  onOddity(what: string): void;
}

/** A server: it `take`s what the client says, and is to be closed when the client is gone. */
export function mcpServer(
  service: McpService,
  write: (bytes: Uint8Array) => Promise<void>,
): Peer {
  const writer = new FrameWriter(
    write,
    { highWater: 256 * 1024, backlog: UNREAD_MAX_BYTES },
    // For half a surrogate pair codex drops the whole message.
    (frame) => wellFormedJson(stringify(frame)),
  );
  return new Peer(writer, new McpHandlers(service), {
    frameBytes: MESSAGE_MAX_BYTES,
    requests: REQUESTS_MAX,
    busy: (message) => new RpcError(RPC_CODE.internal, message),
  });
}

/** Serves a connection, which it owns from then on, until the client is gone or `signal` aborts. */
export async function serveConnection(
  { conn, rest }: { conn: Deno.Conn; rest: Uint8Array },
  service: McpService,
  signal: AbortSignal,
): Promise<void> {
  const end = () => conn.close();
  if (signal.aborted) return end();
  signal.addEventListener("abort", end, { once: true });
  const server = mcpServer(service, async (bytes) => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  });
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    await server.take(rest);
    for (let read = await conn.read(buffer); read !== null; read = await conn.read(buffer)) {
      await server.take(buffer.subarray(0, read));
    }
  } catch {
    // Reset by the client, or closed by us: the end like any other.
  } finally {
    server.close("the connection ended");
    signal.removeEventListener("abort", end);
    if (!signal.aborted) end();
  }
}

class McpHandlers implements Handlers {
  readonly #service: McpService;
  #noted = false;

  constructor(service: McpService) {
    this.#service = service;
  }

  async request(method: string, params: unknown, context: RequestContext): Promise<unknown> {
    switch (method) {
      case "initialize":
        return this.#initialize(params);
      case "ping":
        return {};
      case "tools/list":
        return { tools: await this.#service.tools() };
      case "tools/call":
        return await this.#service.call(toolCall(params, context));
      default:
        throw new RpcError(RPC_CODE.methodNotFound, `unknown method ${JSON.stringify(method)}`);
    }
  }

  notification(): void {}

  /** Once per connection. */
  note(message: string): void {
    if (!this.#noted) this.#service.onOddity(message);
    this.#noted = true;
  }

  #initialize(params: unknown): unknown {
    const asked = isObject(params) ? params.protocolVersion : undefined;
    const { version, instructions } = this.#service;
    return {
      protocolVersion: PROTOCOL_VERSIONS.find((known) => known === asked) ?? PROTOCOL_VERSIONS[0],
      capabilities: { tools: {} },
      serverInfo: { name: "plexum-host", version },
      instructions,
    };
  }
}

function toolCall(params: unknown, { whole, signal }: RequestContext): ToolCall {
  if (!isObject(params) || typeof params.name !== "string") {
    throw new RpcError(RPC_CODE.invalidParams, "tools/call: params.name must be a string");
  }
  const { name, arguments: args, _meta } = params;
  if (args !== undefined && !isObject(args)) {
    throw new RpcError(RPC_CODE.invalidParams, "tools/call: params.arguments must be an object");
  }
  const written = whole.member("params")?.member("arguments") ?? RawJson.of({});
  const call: ToolCall = { name, arguments: written, signal };
  if (isObject(_meta) && typeof _meta.callId === "string") call.callId = _meta.callId;
  if (isObject(_meta) && typeof _meta.threadId === "string") call.threadId = _meta.threadId;
  return call;
}

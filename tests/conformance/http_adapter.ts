/**
 * MCP over HTTP in front of an MCP server on stdio, as much of it as a client needs that speaks
 * nothing else: every session starts the server anew, every request is answered by a stream of
 * events that ends with the answer. It reads of a message only whether it is a request, and its id.
 */
import { LineSplitter } from "../../base/lines.ts";

/** How to start the server; `env` is its whole environment. */
export interface StdioServer {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** The running adapter. */
export interface HttpAdapter extends AsyncDisposable {
  url: string;
}

/** Listens on a free port of loopback. */
export function serveHttp(server: StdioServer): HttpAdapter {
  const sessions = new Map<string, Session>();
  const handler = async (request: Request): Promise<Response> => {
    const id = request.headers.get("mcp-session-id") ?? "";
    const known = sessions.get(id);
    if (request.method === "DELETE") {
      sessions.delete(id);
      await known?.end();
      return new Response(null, { status: known ? 200 : 404 });
    }
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const message = await request.json() as Message;
    if (message.method !== "initialize") {
      return known?.take(message) ?? new Response(null, { status: 404 });
    }
    const session = new Session(server);
    const newId = crypto.randomUUID();
    sessions.set(newId, session);
    // Clients leave without a word; the plugin takes so many relays at once and no more.
    for (const [oldest, left] of [...sessions].slice(0, -SESSIONS_MAX)) {
      sessions.delete(oldest);
      await left.end();
    }
    const response = await session.take(message);
    response.headers.set("mcp-session-id", newId);
    return response;
  };
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  return {
    url: `http://127.0.0.1:${http.addr.port}/mcp`,
    async [Symbol.asyncDispose]() {
      for (const session of sessions.values()) await session.end();
      await http.shutdown();
    },
  };
}

/** How many sessions may be open at once. */
const SESSIONS_MAX = 4;

interface Message {
  id?: unknown;
  method?: string;
}

/** One start of the server. */
class Session {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<unknown, ReadableStreamDefaultController<Uint8Array>>();
  readonly #reading: Promise<void>;

  constructor({ command, args, env }: StdioServer) {
    const streams = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    this.#child = new Deno.Command(command, { args, env, clearEnv: true, ...streams }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Hands a message on; a request is answered when the server has answered it. */
  async take(message: Message): Promise<Response> {
    const isRequest = message.method !== undefined && message.id !== undefined;
    const events = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (isRequest) this.#waiting.set(message.id, controller);
      },
      cancel: () => {
        this.#waiting.delete(message.id);
      },
    });
    await this.#stdin.write(new TextEncoder().encode(JSON.stringify(message) + "\n"));
    if (!isRequest) return new Response(null, { status: 202 });
    return new Response(events, { headers: { "content-type": "text/event-stream" } });
  }

  /** Ends the server as codex does, by the end of its stdin. */
  async end(): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#child.status;
    await this.#reading;
    for (const controller of this.#waiting.values()) controller.close();
  }

  async #read(): Promise<void> {
    const lines = new LineSplitter(16 * 1024 * 1024);
    for await (const chunk of this.#child.stdout) {
      for (const line of lines.push(chunk)) {
        if (line.overlong === undefined) this.#received(new TextDecoder().decode(line.bytes));
      }
    }
  }

  #received(text: string): void {
    const message = JSON.parse(text) as Message;
    const event = new TextEncoder().encode(`event: message\ndata: ${text}\n\n`);
    const answers = message.method === undefined;
    // Notifications belong to whoever is waiting now.
    const [to] = answers ? [this.#waiting.get(message.id)] : [...this.#waiting.values()].slice(-1);
    to?.enqueue(event);
    if (!answers) return;
    this.#waiting.delete(message.id);
    to?.close();
  }
}

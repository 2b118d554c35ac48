/**
 * The smallest host there can be: it starts the plugin, shakes hands and passes frames. It checks
 * nothing, because its own time would count as the plugin's; `tests/support/host.ts` is the one that
 * checks.
 */
import { lines } from "./contender.ts";

/** What a benchmark looks at in a frame of the plugin's. */
export interface Frame {
  id?: number;
  method?: string;
  params?: { request_id?: number; event?: { type?: string; [field: string]: unknown } };
  result?: { thread_id?: string; stop_reason?: string };
  error?: { message: string };
}

const encoder = new TextEncoder();

/** A plugin and the two ends of its wire. */
export class PluginHost implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #frames: AsyncGenerator<string>;

  /** Starts the plugin: `command` with `env` as its whole environment, our own when left out. */
  constructor([command = "", ...args]: string[], env?: Record<string, string>) {
    this.#process = new Deno.Command(command, {
      args,
      ...(env ? { env, clearEnv: true } : {}),
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#frames = lines(this.#process.stdout);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The handshake. */
  async initialize(): Promise<void> {
    const clientInfo = { name: "bench", version: "1" };
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
    await this.send({ id: 0, method: "initialize", params });
    while ((await this.next()).id !== 0);
    await this.send({ method: "notifications/initialized" });
  }

  /** Asks for a turn. */
  ask(id: number, workspace: string, prompt: string, tools?: unknown[]): Promise<void> {
    const messages = [{ role: "user", content: prompt }];
    const request = { messages, ...(tools ? { tools } : {}) };
    const params = { agent: { agent_id: "bench", workspace }, request };
    return this.send({ id, method: "plexum/provider/stream", params });
  }

  send(frame: Record<string, unknown>): Promise<void> {
    return this.#writer.write(encoder.encode(JSON.stringify({ jsonrpc: "2.0", ...frame }) + "\n"));
  }

  /** The next frame, of whatever kind. */
  async next(): Promise<Frame> {
    const { value } = await this.#frames.next();
    if (value === undefined) throw new Error("the plugin ended");
    return JSON.parse(value) as Frame;
  }

  /** The next event of that type, of whichever turn. Throws when a turn ends badly before. */
  async event(type: string): Promise<NonNullable<Frame["params"]>> {
    for (;;) {
      const { params, error } = await this.next();
      if (params?.event?.type === type) return params;
      if (error) throw new Error(`no ${type}: ${error.message}`);
      if (params?.event?.type === "error") throw new Error(JSON.stringify(params.event));
    }
  }

  /** Ends the plugin by the end of its stdin. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    for await (const _ of this.#frames);
    await this.#process.status;
  }
}

/**
 * The plugin with bare pipes, for a host that reads when it likes and checks nothing: its own time would
 * count as the plugin's. `Host` is the one that checks.
 */
import { LineSplitter } from "../../base/lines.ts";
import { pause } from "../../base/timer.ts";
import { METHOD } from "../../plugin/protocol.ts";
import { executable } from "./checkout.ts";

/** A frame, as far as floods and benchmarks look at it. */
export interface Frame {
  id?: unknown;
  method?: string;
  params?: {
    request_id?: unknown;
    seq?: unknown;
    event?: { type?: string; index?: number; text?: string };
  };
  result?: { stop_reason?: string; thread_id?: string; thread?: { id: string } };
  error?: { message: string };
}

/** A plugin process: frames in, frames out. */
export class BarePlugin implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #frames: AsyncGenerator<Frame> | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#stdin = child.stdin.getWriter();
  }

  /**
   * Starts the plugin, or `program` instead, and shakes hands. An MCP server and codex's app-server begin
   * in the same way.
   */
  static async start(
    env: Record<string, string>,
    program?: { command: string; args: string[] },
  ): Promise<BarePlugin> {
    const { command, args } = program ?? await executable();
    const child = new Deno.Command(command, {
      args,
      env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const plugin = new BarePlugin(child);
    const clientInfo = { name: "bare-host", version: "1" };
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
    await plugin.request(0, METHOD.initialize, params);
    await plugin.send({ method: METHOD.initialized });
    return plugin;
  }

  get pid(): number {
    return this.#child.pid;
  }

  async send(frame: Record<string, unknown>): Promise<void> {
    const line = JSON.stringify({ jsonrpc: "2.0", ...frame }) + "\n";
    await this.#stdin.write(new TextEncoder().encode(line));
  }

  /** Asks for a turn. */
  ask(id: number, workspace: string, content: string, tools?: unknown[]): Promise<void> {
    const request = { messages: [{ role: "user", content }], ...(tools ? { tools } : {}) };
    const params = { agent: { agent_id: "cx", workspace }, request };
    return this.send({ id, method: METHOD.stream, params });
  }

  /** The frames, from where the last reader stopped; nothing is read in between. */
  async *frames(): AsyncGenerator<Frame> {
    this.#frames ??= this.#read();
    for (;;) {
      const { value, done } = await this.#frames.next();
      if (done) return;
      yield value;
    }
  }

  /** The next frame, of whatever kind. */
  async next(): Promise<Frame> {
    const { value } = await (this.#frames ??= this.#read()).next();
    if (value === undefined) throw new Error("the plugin ended");
    return value;
  }

  /** The next frame that is wanted. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const frame = await this.next();
      if (wanted(frame)) return frame;
    }
  }

  /** Asks and waits for the answer. */
  async request(id: number, method: string, params: unknown): Promise<Frame> {
    await this.send({ id, method, params });
    return await this.until((frame) => frame.id === id && frame.method === undefined);
  }

  /** The next event of that type, of whichever turn. Throws when a turn ends badly before. */
  async event(type: string): Promise<void> {
    const { params, error } = await this.until(({ params, error }) =>
      error !== undefined || params?.event?.type === type || params?.event?.type === "error"
    );
    if (params?.event?.type === type) return;
    throw new Error(`no ${type}: ${error?.message ?? JSON.stringify(params)}`);
  }

  /** Resident memory in MiB: now, or with VmHWM its highest so far. Linux only. */
  memory(what: "VmRSS" | "VmHWM" = "VmRSS"): number {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  }

  /** Resolves when the plugin has done next to nothing for half a second. Linux only. */
  async standstill(): Promise<void> {
    for (let before = -Infinity;;) {
      const stat = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`).split(" ");
      const ticks = Number(stat[13]) + Number(stat[14]); // of 10 ms
      if (ticks - before < 5) return;
      before = ticks;
      await pause(500);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#frames?.return(undefined);
    await this.#child.stdout.cancel().catch(() => {});
    await this.#child.status;
  }

  async *#read(): AsyncGenerator<Frame> {
    const lines = new LineSplitter(1 << 26);
    const decoder = new TextDecoder();
    // One read at a time, and none ahead.
    const reader = this.#child.stdout.getReader({ mode: "byob" });
    try {
      for (;;) {
        const { value, done } = await reader.read(new Uint8Array(64 * 1024));
        if (done) return;
        for (const line of lines.push(value)) {
          if (line.overlong !== undefined) {
            throw new RangeError(`a frame of ${line.overlong} bytes`);
          }
          const frame: Frame = JSON.parse(decoder.decode(line.bytes));
          yield frame;
        }
      }
    } finally {
      await reader.cancel().catch(() => {});
      reader.releaseLock();
    }
  }
}

/** The plugin with bare pipes, for a host that reads when it likes. Linux only: looks into /proc. */
import { LineSplitter } from "../../base/lines.ts";
import { executable } from "./checkout.ts";

/** A frame, as far as a flood looks at it. */
export interface Frame {
  id?: unknown;
  params?: { request_id?: unknown; seq?: unknown; event?: { type?: string } };
  result?: { stop_reason?: string };
  error?: unknown;
}

/** The plugin without a host that checks anything: bytes in, lines out. */
export class BarePlugin implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #frames: AsyncGenerator<Frame> | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#stdin = child.stdin.getWriter();
  }

  /** Starts the plugin and shakes hands. */
  static async start(env: Record<string, string>): Promise<BarePlugin> {
    const { command, args } = await executable();
    const child = new Deno.Command(command, {
      args,
      env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const plugin = new BarePlugin(child);
    await plugin.send({ id: "hello", method: "initialize", params: {} });
    for await (const { id } of plugin.frames()) if (id === "hello") break;
    return plugin;
  }

  async send(frame: Record<string, unknown>): Promise<void> {
    const line = JSON.stringify({ jsonrpc: "2.0", ...frame }) + "\n";
    await this.#stdin.write(new TextEncoder().encode(line));
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

  /** Resident memory in MiB: now, or with VmHWM its highest so far. */
  memory(what: "VmRSS" | "VmHWM" = "VmRSS"): number {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  }

  /** Resolves when the plugin has done next to nothing for half a second: it looks at its files. */
  async standstill(): Promise<void> {
    for (let before = -Infinity;;) {
      const stat = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`).split(" ");
      const ticks = Number(stat[13]) + Number(stat[14]); // of 10 ms
      if (ticks - before < 5) return;
      before = ticks;
      await new Promise((resolve) => setTimeout(resolve, 500));
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

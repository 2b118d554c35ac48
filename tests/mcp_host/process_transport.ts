/**
 * The client's end of stdio for the official MCP client: like the SDK's own, but the process is at
 * hand (exit code, stderr, signals) and no timer is left behind when it closes.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types";
import { LineSplitter } from "../../base/lines.ts";

/** Starts a program and speaks JSON-RPC with it, one message per line. */
export class ProcessTransport implements Transport, AsyncDisposable {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T) => void;
  stderr = "";
  readonly process: Deno.ChildProcess;
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #stdinOpen = true;

  constructor(command: readonly string[], env: Record<string, string>) {
    const [executable = "", ...args] = command;
    this.process = new Deno.Command(executable, {
      args,
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", DENO_DIR: denoDir(), ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.process.stdin.getWriter();
    this.ended = Promise.all([this.process.status, this.#readStdout(), this.#readStderr()])
      .then(([status]) => status);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.sendBytes(new TextEncoder().encode(JSON.stringify(message) + "\n"));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#stdin.write(bytes);
  }

  /** Ends stdin, which is how codex ends its servers. */
  async close(): Promise<void> {
    if (this.#stdinOpen) {
      this.#stdinOpen = false;
      await this.#stdin.close().catch(() => {});
    }
    await this.ended;
    this.onclose?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #readStdout(): Promise<void> {
    const lines = new LineSplitter(128 * 1024 * 1024);
    for await (const chunk of this.process.stdout) {
      for (const line of lines.push(chunk)) {
        if (line.overlong !== undefined) throw new Error("an answer is longer than 128 MiB");
        this.onmessage?.(JSON.parse(new TextDecoder().decode(line.bytes)) as JSONRPCMessage);
      }
    }
  }

  async #readStderr(): Promise<void> {
    const text = this.process.stderr.pipeThrough(new TextDecoderStream());
    for await (const part of text) this.stderr += part;
  }
}

function denoDir(): string {
  const caches = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return Deno.env.get("DENO_DIR") ?? `${caches}/deno`;
}

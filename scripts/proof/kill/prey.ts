/** The plugin under fire, and how to hit it or what it started. */
import { type Host, startHost } from "../../../tests/support/host.ts";
import type { Sandbox } from "../../../tests/support/sandbox.ts";
import type { Victim } from "./outcome.ts";

/** The host's tool, as the host offers it. */
export const TOOLS = [{
  name: "echo",
  description: "echoes",
  inputSchema: { type: "object" },
}];

/** Starts the plugin in this environment and shakes hands with it. */
export async function startEchoHost(env: Record<string, string>): Promise<Host> {
  const host = await startHost({ env });
  host.onRequest("plexum/host/tool/call", () => ({ content: [{ type: "text", text: "echo" }] }));
  await host.initialize();
  return host;
}

/** A plugin process that is started again whenever it was killed. */
export class Prey implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  #host: Host;

  private constructor(sandbox: Sandbox, host: Host) {
    this.#sandbox = sandbox;
    this.#host = host;
  }

  static async start(sandbox: Sandbox): Promise<Prey> {
    return new Prey(sandbox, await startEchoHost(sandbox.env));
  }

  /** Its host, until the next start. */
  get host(): Host {
    return this.#host;
  }

  /** Kills it, its codex or its relay; false where there is none of that. */
  async kill(victim: Victim): Promise<boolean> {
    if (victim === "plugin") {
      this.#host.kill("SIGKILL");
      await this.#host.exit;
      return true;
    }
    const processes = await this.#sandbox.processes();
    // The plugin has other children, too, which look at the process table.
    const target = processes.find(({ ppid, command }) =>
      victim === "codex"
        ? ppid === this.#host.pid && / (?:exec --json|app-server)\b/.test(command)
        : / mcp-host\b/.test(command)
    );
    if (target === undefined) return false;
    try {
      Deno.kill(target.pid, "SIGKILL");
      return true;
    } catch {
      return false;
    }
  }

  /** Starts it after it was killed. */
  async startAgain(): Promise<void> {
    this.#host = await startEchoHost(this.#sandbox.env);
  }

  /** Processes of this world that are not the plugin. */
  async strangers(): Promise<string[]> {
    const processes = await this.#sandbox.processes();
    return processes.filter(({ pid }) => pid !== this.#host.pid)
      .map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`);
  }

  /** Ends it in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }
}

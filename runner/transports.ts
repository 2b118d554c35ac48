/**
 * The ways in which codex is run, for as long as the plugin lives, and which of them a turn takes.
 *
 * @module
 */
import { AppServerTransport, type CommandInput, unsuitable } from "./app_server/app_server.ts";
import { WithFallback } from "./app_server/fallback.ts";
import type { PoolSnapshot } from "./app_server/pool.ts";
import type { CodexBinary } from "./codex/codex_binary.ts";
import { execTransport } from "./exec/run.ts";
import { KeptBridges } from "./host_tools/kept_bridges.ts";
import type { AgentKey, RunInput, Transport } from "./transport.ts";
import type { TurnSettings } from "./turn_request.ts";

/** The way that a turn takes. */
export interface Chosen {
  transport: Transport;
  /** Why not the other one; `undefined` where the operator asked for just this. */
  because: string | undefined;
}

/** All of them. */
export class Transports {
  readonly #server: AppServerTransport;
  readonly #exec: Transport;
  readonly #serverOrExec: Transport;

  /** How the host's tools are reached by what stays between turns. */
  readonly bridges = new KeptBridges();

  /** @param running Where the marks of what runs are recorded. */
  constructor(running: string, log: (message: string) => void) {
    this.#server = new AppServerTransport(running, log, (agent) => void this.bridges.drop(agent));
    this.#exec = new ExecBeside(this.#server);
    this.#serverOrExec = new WithFallback(this.#server, this.#exec);
  }

  /** The way for one turn. */
  choose(settings: TurnSettings, codex: CodexBinary): Chosen {
    if (settings.transport === "exec") return { transport: this.#exec, because: undefined };
    const because = unsuitable({ codex, ...settings });
    return { transport: because === undefined ? this.#serverOrExec : this.#exec, because };
  }

  /** Starts a codex ahead of the turn that needs it, where turns are run so. */
  async prepare(input: CommandInput & { settings: TurnSettings }): Promise<void> {
    const { transport } = this.choose(input.settings, input.codex);
    if (transport.stays) await this.#server.prepare(input);
  }

  /** See {@link Transport.release}. */
  release(agent: AgentKey, why: "reload" | "leave"): Promise<void> {
    return this.#server.release(agent, why);
  }

  /** Sees to it that no codex that stays has the thread loaded; waits for a turn that runs. */
  free(threadId: string): Promise<void> {
    return this.#server.free(threadId);
  }

  /** Whether a codex waits for the agent's next turn. */
  keeps(agent: AgentKey): boolean {
    return this.#server.keeps(agent);
  }

  /** What is kept now, and how often it was of use. */
  snapshot(): PoolSnapshot {
    return this.#server.snapshot();
  }

  /** Ends what is kept, in order; then nothing can be run any more. */
  async close(): Promise<void> {
    await this.#server.close();
    await this.bridges.close();
  }

  /** The same at once. */
  kill(): Promise<void> {
    return this.#server.kill();
  }
}

/** `codex exec`, for threads that may be loaded in a server. */
class ExecBeside implements Transport {
  readonly name = "exec";
  readonly stays = false;
  readonly #server: AppServerTransport;

  constructor(server: AppServerTransport) {
    this.#server = server;
  }

  run(input: RunInput, signal: AbortSignal): ReturnType<Transport["run"]> {
    const run = this.#server.free(input.threadId).then(() => execTransport.run(input, signal));
    return {
      events: (async function* () {
        yield* (await run).events;
      })(),
      outcome: run.then(({ outcome }) => outcome),
    };
  }

  release = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
}

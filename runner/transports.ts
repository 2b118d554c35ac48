/**
 * The ways in which codex is run, for as long as the plugin lives, and which of them a turn takes: the
 * app-server where it works, and `codex exec` where it does not. A thread moves freely between both.
 *
 * @module
 */
import {
  AppServerTransport,
  type CommandInput,
  unsuitable,
  unsuitableSettings,
} from "./app_server/app_server.ts";
import type { PoolSnapshot } from "./app_server/pool.ts";
import { ServerUnusable } from "./app_server/process.ts";
import type { CodexBinary } from "./codex/codex_binary.ts";
import { execTransport } from "./exec/run.ts";
import { KeptBridges } from "./host_tools.ts";
import { marksByLimit } from "./process/turn_mark.ts";
import type {
  AgentKey,
  CodexEvent,
  CodexRun,
  RunInput,
  RunOutcome,
  Transport,
} from "./transport.ts";
import type { TurnSettings, Warm } from "./turn_request.ts";

/** The way that a turn takes. */
export interface Chosen {
  transport: Transport;
  /** Why not the other one; `undefined` where the operator asked for just this. */
  because: string | undefined;
}

/** How codex is kept by these settings, in whichever way they have it run. */
export function keptBy(
  settings: Pick<TurnSettings, "extraArgs" | "mcpRegistration" | "transport" | "warm">,
): Warm {
  const warm = settings.warm();
  const stays = settings.transport !== "exec" && unsuitableSettings(settings) === undefined;
  return stays ? warm : { ...warm, idleMs: 0, spare: false };
}

/** All of them. */
export class Transports {
  readonly #server: AppServerTransport;
  readonly #exec: Transport;
  readonly #serverOrExec: WithFallback;

  /** How the host's tools are reached by what stays between turns. */
  readonly bridges = new KeptBridges();

  /** @param running Where the marks of what runs are recorded. */
  constructor(running: string, log: (message: string) => void) {
    marksByLimit(); // A look at the system, once; so it is no turn's.
    this.#server = new AppServerTransport(running, log, (agent) => void this.bridges.drop(agent));
    this.#exec = new ExecBeside(this.#server);
    this.#serverOrExec = new WithFallback(this.#server, this.#exec);
  }

  /** The way for one turn. */
  choose(settings: TurnSettings, codex: CodexBinary): Chosen {
    if (settings.transport === "exec") return { transport: this.#exec, because: undefined };
    const because = unsuitable({ codex, ...settings }) ?? this.#serverOrExec.whyNot(codex);
    return { transport: because === undefined ? this.#serverOrExec : this.#exec, because };
  }

  /** Starts a codex ahead of the turn that needs it, where turns are run so. */
  async prepare(input: CommandInput & { settings: TurnSettings }): Promise<void> {
    const { transport } = this.choose(input.settings, input.codex);
    if (transport.stays) await this.#server.prepare(input);
  }

  /** Ends what the settings, as they are now, no longer have kept. */
  dismissUnwanted(): void {
    this.#server.dismissUnwanted();
  }

  /** See {@link Transport.release}. */
  release(agent: AgentKey, why: "reload" | "leave"): Promise<void> {
    return this.#server.release(agent, why);
  }

  /** Resolves when the agent's kept codex does nothing more; with a turn under way, when that is over. */
  settled(agent: AgentKey): Promise<void> {
    return this.#server.settled(agent);
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

/** How long a codex whose server was of no use is run by `exec` before it is tried again. */
const AVOIDED_MS = 5 * 60_000;

/** Runs by `first`, and by `second` what `first` could not begin. */
export class WithFallback implements Transport {
  readonly #first: Transport;
  readonly #second: Transport;
  /** Until when a codex is not tried, by its file. */
  readonly #avoided = new Map<string, number>();

  constructor(first: Transport, second: Transport) {
    this.#first = first;
    this.#second = second;
  }

  /** Why `second` is to be taken at once: `first` was of no use to this codex lately. */
  whyNot(codex: CodexBinary): string | undefined {
    const isAvoided = (this.#avoided.get(fileOf(codex)) ?? 0) > performance.now();
    return isAvoided ? "its app-server was of no use lately" : undefined;
  }

  get name(): Transport["name"] {
    return this.#first.name;
  }

  get stays(): boolean {
    return this.#first.stays;
  }

  run(input: RunInput, signal: AbortSignal): CodexRun {
    const outcome = Promise.withResolvers<RunOutcome>();
    return { events: this.#events(input, signal, outcome.resolve), outcome: outcome.promise };
  }

  release(agent: AgentKey, why: "reload" | "leave"): Promise<void> {
    return this.#first.release(agent, why);
  }

  close(): Promise<void> {
    return this.#first.close();
  }

  async *#events(
    input: RunInput,
    signal: AbortSignal,
    settle: (outcome: RunOutcome | Promise<RunOutcome>) => void,
  ): AsyncGenerator<CodexEvent> {
    let run = this.#first.run(input, signal);
    try {
      yield* run.events;
      const { refused } = await run.outcome;
      if (!(refused instanceof ServerUnusable) || signal.aborted) return;
      run = this.#second.run(input, signal);
      for await (const event of run.events) {
        // What keeps both from starting (a broken config.toml, say) is no fault of the app-server.
        if (event.type === "thread_started") {
          const until = performance.now() + AVOIDED_MS;
          if (refused.lasting) this.#avoided.set(fileOf(input.codex), until);
          input.onStatus(
            `codex app-server is of no use (${refused.message}); the turn runs by codex exec`,
            { level: "warning", transport: this.#second.name },
          );
        }
        yield event;
      }
    } finally {
      // Pulled to its end or left before it: what was begun last says how it went.
      settle(run.outcome);
    }
  }
}

/** A codex that was replaced is another one. */
function fileOf({ path, stamp }: CodexBinary): string {
  return `${path} ${stamp}`;
}

/**
 * The app-server where it works, and `codex exec` where it does not: a thread moves freely between both.
 *
 * @module
 */
import type {
  AgentKey,
  CodexEvent,
  CodexRun,
  RunInput,
  RunOutcome,
  Transport,
} from "../transport.ts";
import { ServerUnusable } from "./process.ts";

/** How long a codex whose server was of no use is run by `exec` before it is tried again. */
const AVOIDED_MS = 5 * 60_000;

/** Runs by `first`, and by `second` what `first` could not begin. */
export class WithFallback implements Transport {
  readonly #first: Transport;
  readonly #second: Transport;
  /** Until when a codex is not tried, by its path. */
  readonly #avoided = new Map<string, number>();

  constructor(first: Transport, second: Transport) {
    this.#first = first;
    this.#second = second;
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
    let run: CodexRun | undefined;
    let unusable: ServerUnusable | undefined;
    const { path } = input.codex;
    try {
      if ((this.#avoided.get(path) ?? 0) < performance.now()) {
        run = this.#first.run(input, signal);
        yield* run.events;
        const { refused } = await run.outcome;
        if (!(refused instanceof ServerUnusable) || signal.aborted) return;
        unusable = refused;
      }
      run = this.#second.run(input, signal);
      for await (const event of run.events) {
        // What keeps both from starting (a broken config.toml, say) is no fault of the app-server.
        if (event.type === "thread_started" && unusable !== undefined) {
          if (unusable.lasting) this.#avoided.set(path, performance.now() + AVOIDED_MS);
          input.onStatus(
            `codex app-server is of no use (${unusable.message}); the turn runs by codex exec`,
            { level: "warning", transport: this.#second.name },
          );
        }
        yield event;
      }
    } finally {
      // Pulled to its end or left before it: what was begun last says how it went.
      if (run !== undefined) settle(run.outcome);
    }
  }
}

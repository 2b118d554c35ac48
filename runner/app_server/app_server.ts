/**
 * Runs codex as one process that stays: `codex app-server`, a warm one for each agent and workspace.
 *
 * The way of a byte: `rpc` (lines and their answers) → `turn_wire` (what codex said) → `event_queue`
 * (as fast as the host takes it). The way of a turn: `pool` (whose server) → `run` → `thread` (loaded,
 * if it is not) → `run` again (the request).
 *
 * @module
 */
import { join } from "@std/path";
import { marksByLimit } from "../process/turn_mark.ts";
import { compareVersions } from "../codex/capabilities.ts";
import { userServerConfig } from "../codex/user_mcp_servers.ts";
import type { AgentKey, CodexRun, RunInput, RunOutcome, Transport } from "../transport.ts";
import type { TurnSettings } from "../turn_request.ts";
import { errorMessage } from "../../base/error_message.ts";
import { stampOf } from "../../base/files.ts";
import { unlessAborted } from "../../base/timer.ts";
import { EventQueue } from "./event_queue.ts";
import { Pool, type PoolSnapshot } from "./pool.ts";
import type { ServerCommand } from "./process.ts";
import { outcome, runOnServer } from "./run.ts";

/** From here on all that is used is stable, and threads can be unloaded at once. */
export const SINCE = "0.158.0";

/** What decides how a server is started. */
export type CommandInput = Pick<
  RunInput,
  "codex" | "codexHome" | "cwd" | "environment" | "extraArgs" | "userMcpServers" | "warm"
>;

/** The second transport. */
export class AppServerTransport implements Transport {
  readonly name = "app-server";
  readonly stays = true;
  readonly #pool: Pool;

  /** See {@link Pool}. */
  constructor(
    running: string,
    log: (message: string) => void,
    onGone: (agent: AgentKey) => void = () => {},
  ) {
    this.#pool = new Pool(running, log, onGone);
  }

  run(input: RunInput, signal: AbortSignal): CodexRun {
    const left = new AbortController();
    const stop = AbortSignal.any([signal, left.signal]);
    const events = new EventQueue(() => left.abort());
    let begun = false;
    const run = async (): Promise<RunOutcome> => {
      await this.#pool.free(input.threadId, input);
      const command = await serverCommand(input, stop);
      if (stop.aborted) return outcome();
      return await this.#pool.use(input, command, input.warm, ({ server, thread }) => {
        begun = true;
        return runOnServer(server, thread, input, events, stop);
      });
    };
    const play = async (): Promise<RunOutcome> => {
      const running = run();
      // While it waits for its server nothing of it runs: whoever cancels it need not wait.
      return await unlessAborted(running, stop).catch((error) => {
        if (stop.aborted) return begun ? running : outcome();
        throw error;
      });
    };
    const played = play().catch((error) =>
      outcome({ refused: error instanceof Error ? error : new Error(errorMessage(error)) })
    ).finally(() => events.end());
    return { events, outcome: played };
  }

  /** Starts a server ahead, for the next agent that needs one. */
  async prepare(input: CommandInput): Promise<void> {
    this.#pool.prepare(await serverCommand(input), input.warm);
  }

  release(agent: AgentKey, why: "reload" | "leave"): Promise<void> {
    return this.#pool.release(agent, why);
  }

  /** See {@link Pool.dismissUnwanted}. */
  dismissUnwanted(): void {
    this.#pool.dismissUnwanted();
  }

  /** Sees to it that the thread is not loaded, whoever's it is. */
  free(threadId: string | undefined): Promise<void> {
    return this.#pool.free(threadId);
  }

  /** See {@link Pool.settled}. */
  settled(agent: AgentKey): Promise<void> {
    return this.#pool.settled(agent);
  }

  /** Whether a server waits for the agent's next turn. */
  keeps(agent: AgentKey): boolean {
    return this.#pool.keeps(agent);
  }

  /** What is kept now, and how often it was of use. */
  snapshot(): PoolSnapshot {
    return this.#pool.snapshot();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Kills every server and all that it started, at once. */
  kill(): Promise<void> {
    return this.#pool.kill();
  }
}

/** Why the app-server cannot do what is asked; `undefined` where it can. */
export function unsuitable(
  { codex, ...settings }: Pick<RunInput, "codex"> & AskedOfServer,
): string | undefined {
  const { version } = codex.capabilities;
  if (compareVersions(version, SINCE) < 0) return `codex ${version} is older than ${SINCE}`;
  return unsuitableSettings(settings);
}

/** What of the settings it depends on. */
export type AskedOfServer = Pick<TurnSettings, "extraArgs" | "mcpRegistration">;

/** The same, whichever codex it is. */
export function unsuitableSettings(
  { extraArgs, mcpRegistration }: AskedOfServer,
): string | undefined {
  if (mcpRegistration === "codex-config") return '`mcp_registration` is "codex-config"';
  const strange = carriedOver(extraArgs);
  if (typeof strange === "string") return `\`extra_args\` has ${JSON.stringify(strange)}`;
  // Without it, what a command leaves behind could not be told from what the server needs.
  return marksByLimit() ? undefined : "there is no `prlimit` on this machine";
}

/** How the server of a run is started; equal where one server can do the runs of both. */
async function serverCommand(input: CommandInput, signal?: AbortSignal): Promise<ServerCommand> {
  const { codex, codexHome, environment, extraArgs, cwd, userMcpServers } = input;
  const config = [
    // So that a thread that was changed, or is wanted elsewhere, is let go at once.
    "thread_unload_delay_secs=0",
    // Offline codex would reconnect for ever.
    "features.unbounded_connection_retries=false",
    ...(userMcpServers === "disable"
      ? await userServerConfig(codex.path, environment, cwd, signal)
      : []),
  ];
  const extra = carriedOver(extraArgs);
  return {
    path: codex.path,
    binary: `${codex.capabilities.version} ${codex.stamp}`,
    args: [...config.flatMap((pair) => ["-c", pair]), ...(typeof extra === "string" ? [] : extra)],
    env: environment,
    // codex reads both once; `.env` may have the key of an API.
    login: ["auth.json", ".env"].map((name) => stampOf(join(codexHome, name))).join(),
  };
}

/**
 * The operator's arguments as the app-server takes them, or the first that it does not take: those
 * that stand for configuration mean the same to both.
 */
export function carriedOver(extraArgs: readonly string[]): string[] | string {
  const carried: string[] = [];
  for (let i = 0; i < extraArgs.length; i++) {
    const argument = extraArgs[i] ?? "";
    if (argument === "--strict-config" || /^--(?:config|enable|disable)=|^-c./.test(argument)) {
      carried.push(argument);
    } else if (/^(?:-c|--config|--enable|--disable)$/.test(argument) && i + 1 < extraArgs.length) {
      carried.push(argument, extraArgs[++i] ?? "");
    } else return argument;
  }
  return carried;
}

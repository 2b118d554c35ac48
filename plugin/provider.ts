/**
 * The provider: turns and session edits as the host asks for them, on top of the runner.
 *
 * @module
 */
import { type Peer, type RequestContext, RpcError } from "../base/jsonrpc/peer.ts";
import { killPrograms } from "../base/program.ts";
import type { RawJson } from "../base/raw_json.ts";
import { unlessAborted } from "../base/timer.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import { StateStore } from "../rollout/state/state.ts";
import { findCodex } from "../runner/codex/codex_binary.ts";
import { codexEnvironment, codexHome } from "../runner/codex/environment.ts";
import { endEveryFamily } from "../runner/process/process_family.ts";
import { keptBy, Transports } from "../runner/transports.ts";
import { cancelledBefore, runTurn } from "../runner/turn.ts";
import { TurnError } from "../runner/turn_event.ts";
import type { TurnContext, TurnSettings } from "../runner/turn_request.ts";
import { TurnStream } from "../runner/turn_stream.ts";
import type { ConfigFile } from "./config/config.ts";
import { agentEnv, askedOf, codexModel, turnSettings } from "./config/settings.ts";
import type { Log } from "./log.ts";
import { Mutations } from "./mutations.ts";
import type { ProfilePaths } from "./profile.ts";
import {
  CODE,
  DEFAULT_AGENT,
  type ErrorBody,
  type EventParams,
  type HostToolCallParams,
  HostToolCallResult,
  METHOD,
  type MutateParams,
  type MutateResult,
  type PluginStats,
  type StreamParams,
  type StreamResult,
} from "./protocol.ts";
import { recover, tidyUp } from "./recovery.ts";
import { ReleaseRequests } from "./release_requests.ts";
import { Stats } from "./stats.ts";
import { TestedCodex } from "./tested_codex.ts";
import { TurnQueue } from "./turn_queue.ts";
import { prepareWorkspace } from "./workspace.ts";

/** What the provider is made of. */
export interface ProviderOptions {
  peer: Pick<Peer, "notify" | "request">;
  config: ConfigFile;
  paths: ProfilePaths;
  /** Where sockets of host tools go now. */
  runtimeDirectory: () => string;
  environment: Record<string, string>;
  /** How to start this program. */
  executable: readonly string[];
  version: string;
  log: Log;
}

const DAY_MS = 24 * 60 * 60_000;

/** Runs what the host asks for. */
export class Provider {
  readonly #options: ProviderOptions;
  readonly #store: StateStore;
  readonly #queue: TurnQueue;
  readonly #stats: Stats;
  readonly #turns = new Set<Promise<unknown>>();
  readonly #mutations: Mutations;
  readonly #transports: Transports;
  readonly #tested: TestedCodex;
  readonly #releases: ReleaseRequests;
  /** What a killed plugin left is cleared away and finished; nothing begins before. */
  readonly #ready: Promise<void>;
  readonly #codexHome: (agentId: string) => string;
  /** A codex was started ahead, where one is wanted; what stands against it the first turn will tell. */
  readonly #prepared: Promise<void>;
  #tidied: Promise<void>;
  #tidiedAt = -Infinity;

  constructor(options: ProviderOptions) {
    this.#options = options;
    const { log, paths, config, environment } = options;
    this.#store = new StateStore(paths.state, {
      onWarning: (message) => log.write("warning", message),
    });
    this.#tested = new TestedCodex(paths.state);
    this.#transports = new Transports(paths.running, (message) => log.write("warning", message));
    this.#releases = new ReleaseRequests(this.#store, this.#transports);
    this.#stats = new Stats(options.version, paths.state, () => {
      const { servers, spare, hits, spares, misses } = this.#transports.snapshot();
      const pids = servers.map(({ pid }) => pid).concat(spare ?? []);
      return {
        processes: pids.length,
        pids,
        running: servers.filter(({ state }) => state === "running").length,
        ...{ warm: hits, spare: spares, cold: misses },
      };
    });
    this.#queue = new TurnQueue(() => config.current().max_parallel_turns);
    this.#codexHome = (agentId) =>
      codexHome(codexEnvironment(environment, agentEnv(config.current(), agentId)));
    this.#mutations = new Mutations({
      codexHome: this.#codexHome,
      store: this.#store,
      queue: this.#queue,
      threads: this.#transports,
      stats: this.#stats,
      log,
    });
    // The state is where they lie while there is no better place.
    const socketPlaces = [...new Set([options.runtimeDirectory(), paths.state])];
    this.#ready = recover({ running: paths.running, socketPlaces, store: this.#store }, log);
    this.#tidied = this.#ready.then(() => this.#tidyUp());
    this.#prepared = this.#ready.then(() => this.#prepare()).catch(() => {});
  }

  /** `plexum/provider/stream`. */
  stream(params: StreamParams, context: RequestContext): Promise<StreamResult> {
    const turn = this.#stream(params, context);
    const settled = turn.catch(() => {}).then(() => {
      this.#turns.delete(settled);
      this.#transports.dismissUnwanted();
      this.#releases.watch();
      this.#tidied = this.#tidied.then(() => this.#tidyUp());
    });
    this.#turns.add(settled);
    return turn;
  }

  /** `plexum/session/mutate`. */
  async mutate(params: MutateParams): Promise<MutateResult> {
    await this.#ready;
    return await this.#mutations.mutate(params);
  }

  /** `plexum/plugin/stats`. */
  stats(): PluginStats {
    return this.#stats.snapshot();
  }

  /**
   * Resolves when no turn is waiting or running, and no session is being edited any more. The turns
   * end because their requests were aborted.
   */
  async close(): Promise<void> {
    await this.#mutations.close();
    while (this.#turns.size > 0) await Promise.all(this.#turns);
    await this.#store.saved();
    await this.#tidied;
    await this.#prepared;
    this.#releases[Symbol.dispose]();
    await this.#transports.close();
    await this.#stats.written();
  }

  /** Sends SIGKILL to all that our turns ever started, at once; resolves when none of it is left. */
  async kill(): Promise<void> {
    killPrograms();
    await Promise.all([endEveryFamily(), this.#transports.kill()]);
  }

  async #prepare(): Promise<void> {
    const { environment: own } = this.#options;
    const settings = this.#settings("codex", DEFAULT_AGENT);
    if (!settings.warm().spare) return;
    const codex = await findCodex(settings.binary, codexEnvironment(own, settings.env));
    const environment = codexEnvironment(own, settings.env, codex);
    const { extraArgs, userMcpServers, warm } = settings;
    const home = codexHome(environment);
    await this.#transports.prepare({
      ...{ settings, codex, environment, extraArgs, userMcpServers, warm },
      ...{ codexHome: home, cwd: home },
    });
  }

  /** At the start, and once a day while turns come. */
  async #tidyUp(): Promise<void> {
    const { config, paths, log } = this.#options;
    if (performance.now() - this.#tidiedAt < DAY_MS) return;
    this.#tidiedAt = performance.now();
    const keepMs = config.current().state.keep_days * DAY_MS;
    const options = { codexHomeOf: this.#codexHome, keepMs, now: Date.now() };
    await tidyUp({ profile: paths.profile, store: this.#store, ...options }, log);
  }

  async #stream(
    params: StreamParams,
    { id, signal, tooLate }: RequestContext,
  ): Promise<StreamResult> {
    const agentId = params.agent?.agent_id || params._meta?.agent_id || DEFAULT_AGENT;
    const { workspace, cwd } = prepareWorkspace(params.agent?.workspace);
    const asked = askedOf(params.request.messages);
    if (asked.text.trim() === "") {
      const message = "codex: no user text in request messages";
      throw new RpcError(CODE.domain, message, {
        kind: "invalid_request",
        message,
        retryable: false,
      });
    }
    await unlessAborted(this.#ready, signal).catch(() => {});
    const model = params.model ?? "codex";
    const { log } = this.#options;
    const leave = await this.#queue.enter({ agentId, workspace }, signal);
    const stream = new TurnStream({
      agentId,
      model,
      send: (event, seq) => {
        const params: EventParams = { request_id: id, seq, event };
        return this.#options.peer.notify(METHOD.event, params);
      },
      log: (level, message, data) => log.write(level, message, data),
      logsEvents: () => log.level === "debug",
    });
    if (leave === undefined) {
      return await stream.end(cancelledBefore(this.#store, { agentId, workspace }));
    }
    this.#stats.turnStarted();
    try {
      // Read now: a change of the file takes effect with the next turn that begins.
      const config = this.#options.config.current();
      const end = await runTurn(
        {
          agentId,
          workspace,
          cwd,
          model: codexModel(config, model),
          ...asked,
          system: params.request.system ?? undefined,
          outputSchema: outputSchemaOf(params.request),
          tools: params.request.tools ?? [],
          callTool: hostToolCaller(this.#options.peer, {
            agent_id: agentId,
            session_id: params.session_id,
            request_id: id,
          }),
        },
        this.#context(this.#settings(model, agentId)),
        stream,
        signal,
      );
      this.#stats.turnEnded(stream.summary);
      if (end.stop_reason !== "cancelled") tooLate();
      return end;
    } catch (error) {
      this.#stats.turnRefused(stream.summary);
      if (!(error instanceof TurnError)) throw error;
      const body: ErrorBody = error.failure;
      throw new RpcError(CODE.domain, error.message, body);
    } finally {
      leave();
    }
  }

  #settings(model: string, agentId: string): TurnSettings {
    const now = () => turnSettings(this.#options.config.current(), model, agentId);
    return { ...now(), warm: () => keptBy(now()) };
  }

  #context(settings: TurnContext["settings"]): TurnContext {
    const { environment, paths, runtimeDirectory, executable, version, log } = this.#options;
    return {
      settings,
      environment,
      runningDirectory: paths.running,
      transports: this.#transports,
      runtimeDirectory: runtimeDirectory(),
      store: this.#store,
      hasPassed: (codex) => this.#tested.at(codex) !== undefined,
      executable,
      version,
      log: (level, message, data) => log.write(level, message, data),
    };
  }
}

/** An empty schema asks for nothing. */
function outputSchemaOf(
  { output_schema: schema }: StreamParams["request"],
): Record<string, unknown> | undefined {
  return schema && Object.keys(schema).length > 0 ? schema : undefined;
}

/*
 * A call of one of the host's own tools, from codex to the host and back.
 */

/** Which turn calls: what the host finds in every call of it. */
export type Caller = Pick<HostToolCallParams, "agent_id" | "session_id" | "request_id">;

/** Asks the host, for one turn. Rejects when the host refuses or answers no tool result. */
export function hostToolCaller(
  peer: Pick<Peer, "request">,
  caller: Caller,
): (call: HostToolCall) => Promise<RawJson> {
  return async (call) => {
    const params: Omit<HostToolCallParams, "arguments"> & { arguments: RawJson } = {
      ...caller,
      call_id: call.callId,
      thread_id: call.threadId,
      name: call.name,
      arguments: call.arguments,
    };
    const result = await peer.request(METHOD.hostToolCall, params, call.signal);
    const parsed = HostToolCallResult.safeParse(withoutNulls(result.value));
    if (parsed.success) return result;
    throw new Error(`the host answered ${call.name} with something that is not a tool result`);
  };
}

/** Go writes `null` for what is not there; what is inside the fields is the tool's own. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}

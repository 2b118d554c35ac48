/**
 * The provider: turns and session edits as the host asks for them, on top of the runner.
 *
 * @module
 */
import { isAbsolute } from "@std/path";
import { mutate } from "../rollout/consume.ts";
import { StateStore } from "../rollout/state.ts";
import type { HostToolCall, HostToolResult } from "../mcp_host/host_tool.ts";
import { codexEnvironment, codexHome } from "../runner/environment.ts";
import { runTurn } from "../runner/turn.ts";
import { type Emit, type TurnEnd, TurnError } from "../runner/turn_event.ts";
import type { TurnContext } from "../runner/turn_request.ts";
import { ZERO_USAGE } from "../runner/usage.ts";
import { askedOf, canonicalEvent, errorBody, streamResult } from "./canonical.ts";
import type { ConfigFile } from "./config_file.ts";
import { errorMessage } from "./error_message.ts";
import { type Peer, type RequestContext, type RequestId, RpcError } from "./jsonrpc.ts";
import type { Log } from "./log.ts";
import type { ProfilePaths } from "./profile.ts";
import {
  CODE,
  type EventParams,
  type HostToolCallParams,
  HostToolCallResult,
  METHOD,
  type MutateParams,
  type MutateResult,
  type StreamParams,
  type StreamResult,
} from "./protocol.ts";
import { recover } from "./recovery.ts";
import { codexModel, turnSettings } from "./settings.ts";
import { TurnQueue } from "./turn_queue.ts";

/** What the provider is made of. */
export interface ProviderOptions {
  peer: Pick<Peer, "notify" | "request">;
  config: ConfigFile;
  paths: ProfilePaths;
  /** Where sockets of running turns go. */
  runtimeDirectory: string;
  environment: Record<string, string>;
  /** How to start this program. */
  executable: readonly string[];
  version: string;
  log: Log;
}

/** Runs what the host asks for. */
export class Provider {
  readonly #options: ProviderOptions;
  readonly #store: StateStore;
  readonly #queue: TurnQueue;
  readonly #turns = new Set<Promise<unknown>>();
  #mutating: Promise<unknown> = Promise.resolve();
  /** What a killed plugin left is cleared away and finished; nothing begins before. */
  readonly #ready: Promise<void>;

  constructor(options: ProviderOptions) {
    this.#options = options;
    const { log, paths, config } = options;
    this.#store = new StateStore(paths.state, {
      onWarning: (message) => log.write("warning", message),
    });
    this.#queue = new TurnQueue(() => config.current().max_parallel_turns);
    const { runtimeDirectory } = options;
    this.#ready = recover({ running: paths.running, runtimeDirectory, store: this.#store }, log);
  }

  /** `plexum/provider/stream`. */
  stream(params: StreamParams, context: RequestContext): Promise<StreamResult> {
    const turn = this.#stream(params, context);
    const settled = turn.catch(() => {}).then(() => void this.#turns.delete(settled));
    this.#turns.add(settled);
    return turn;
  }

  /** `plexum/session/mutate`, one after the other: each takes milliseconds. */
  mutate(params: MutateParams): Promise<MutateResult> {
    const result = this.#mutating.then(() => this.#mutate(params));
    this.#mutating = result.catch(() => {});
    return result;
  }

  async #mutate(params: MutateParams): Promise<MutateResult> {
    await this.#ready;
    const { config, environment, log } = this.#options;
    const { agent_id: agentId, mutations } = params;
    const workspace = realPathOf(params.workspace);
    const env = codexEnvironment(environment, config.current().env);
    const session = { store: this.#store, codexHome: codexHome(env), agentId, workspace };
    const asked = mutations.map(({ block_id, op }) => ({ blockId: block_id, op }));
    const leave = this.#queue.hold(workspace);
    try {
      const busy = leave === undefined;
      const { skipped, ...counts } = await mutate(session, asked, { busy });
      log.write("info", "codex session mutate complete", { agent: agentId, ...counts });
      return {
        ...counts,
        skipped: skipped.map(({ blockId, reason }) => ({ block_id: blockId, reason })),
      };
    } catch (error) {
      const message = errorMessage(error);
      log.write("warning", "codex session mutate failed", { agent: agentId, error: message });
      throw new RpcError(CODE.domain, message, { kind: "internal", message, retryable: true });
    } finally {
      leave?.();
    }
  }

  /** Resolves when no turn is waiting or running, and no session is being edited any more. */
  async idle(): Promise<void> {
    await this.#mutating;
    while (this.#turns.size > 0) await Promise.all(this.#turns);
  }

  async #stream(params: StreamParams, { id, signal }: RequestContext): Promise<StreamResult> {
    const agentId = params.agent?.agent_id ?? "default";
    const workspace = prepareWorkspace(params.agent?.workspace);
    const asked = askedOf(params.request.messages);
    if (asked.text.trim() === "") {
      throw refusal("invalid_request", "codex: no user text in request messages");
    }
    await this.#ready;
    const model = params.model ?? "codex";
    const tell = this.#teller(id, model);
    const leave = await this.#queue.enter(workspace, signal);
    if (leave === undefined) return streamResult(await this.#cancelledInQueue(tell));
    try {
      // Read now: a change of the file takes effect with the next turn that begins.
      const config = this.#options.config.current();
      const end = await runTurn(
        {
          agentId,
          workspace,
          model: codexModel(config, model),
          ...asked,
          system: params.request.system ?? undefined,
          outputSchema: params.request.output_schema ?? undefined,
          tools: params.request.tools ?? [],
          callTool: (call) => this.#callTool(call, agentId, id, params.session_id),
        },
        this.#context(turnSettings(config, model, agentId)),
        tell,
        signal,
      );
      return streamResult(end);
    } catch (error) {
      if (error instanceof TurnError) {
        throw new RpcError(CODE.domain, error.message, errorBody(error.failure));
      }
      throw error;
    } finally {
      leave();
    }
  }

  #context(settings: TurnContext["settings"]): TurnContext {
    const { environment, paths, runtimeDirectory, executable, version, log } = this.#options;
    return {
      settings,
      environment,
      runningDirectory: paths.running,
      runtimeDirectory,
      store: this.#store,
      executable,
      version,
      log: (level, message, data) => log.write(level, message, data),
    };
  }

  /** Numbers a turn's events and sends them; resolves at the host's pace. */
  #teller(requestId: RequestId, model: string): Emit {
    let seq = 0;
    return (event) => {
      const params: EventParams = {
        request_id: requestId,
        seq: seq++,
        event: canonicalEvent(event, model),
      };
      return this.#options.peer.notify(METHOD.event, params);
    };
  }

  async #cancelledInQueue(tell: Emit): Promise<TurnEnd> {
    const end: TurnEnd = { stopReason: "cancelled", usage: ZERO_USAGE, threadId: "" };
    await tell({ type: "ended", ...end });
    return end;
  }

  async #callTool(
    call: HostToolCall,
    agentId: string,
    requestId: RequestId,
    sessionId: string | undefined,
  ): Promise<HostToolResult> {
    const params: HostToolCallParams = {
      agent_id: agentId,
      session_id: sessionId,
      request_id: requestId,
      call_id: call.callId,
      name: call.name,
      arguments: call.arguments,
    };
    const result = await this.#options.peer.request(METHOD.hostToolCall, params, call.signal);
    const parsed = HostToolCallResult.safeParse(result);
    if (!parsed.success) {
      throw new Error(`the host answered ${call.name} with something that is no tool result`);
    }
    return parsed.data;
  }
}

/** The workspace as a real path, made if it is missing. */
function prepareWorkspace(workspace: string | undefined): string {
  if (workspace === undefined || workspace === "") {
    throw refusal(
      "workspace_required",
      "codex: agent workspace required (host must supply AgentContext)",
    );
  }
  if (!isAbsolute(workspace)) {
    throw refusal(
      "invalid_request",
      `codex: the workspace must be an absolute path: found ${JSON.stringify(workspace)}`,
    );
  }
  try {
    Deno.mkdirSync(workspace, { recursive: true });
    return Deno.realPathSync(workspace);
  } catch (error) {
    throw refusal(
      "invalid_request",
      `mkdir workspace: ${errorMessage(error)}`,
    );
  }
}

/** The key under which a workspace's thread is kept; a workspace that is gone still has its thread. */
function realPathOf(workspace: string): string {
  try {
    return Deno.realPathSync(workspace);
  } catch {
    return workspace;
  }
}

function refusal(kind: "workspace_required" | "invalid_request", message: string): RpcError {
  return new RpcError(CODE.domain, message, { kind, message, retryable: false });
}

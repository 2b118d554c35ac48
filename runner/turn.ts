/**
 * One turn: from a request to `ended`. What is tried, how often, and what is remembered, is decided
 * here; running codex is `codex_run.ts`, judging the run is `verdict.ts`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Bridge } from "../mcp_host/bridge.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import { applyPending } from "../rollout/consume.ts";
import { codexArgs, MAX_INSTRUCTIONS_BYTES } from "./argv.ts";
import { type CodexBinary, findCodex, type Variables } from "./codex_binary.ts";
import { type CallIdentifier, runCodex, type RunPlan, type RunResult } from "./codex_run.ts";
import { NEWEST_TESTED } from "./capabilities.ts";
import { codexEnvironment, codexHome } from "./environment.ts";
import { openHostTools } from "./host_tools.ts";
import { clip } from "./failure.ts";
import { imageFiles } from "./images.ts";
import { loginStatus } from "./login_status.ts";
import { composePrompt } from "./prompt.ts";
import { StartGate } from "./start_gate.ts";
import { leaveThreadId, recallThread, rememberThread, type Thread } from "./thread.ts";
import { TurnDirectory } from "./turn_directory.ts";
import { type Emit, type Failure, type TurnEnd, TurnError } from "./turn_event.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";
import { totalAfter, turnUsage, ZERO_USAGE } from "./usage.ts";
import { userServerConfig } from "./user_mcp_servers.ts";
import { judge, judgeStart } from "./verdict.ts";

/** First pause before codex is started again; each further one is three times as long. */
const RETRY_PAUSE_MS = 200;

/**
 * Runs one turn and tells it through `emit`, up to and including `ended`. Nothing of it runs any
 * more when this returns. Aborting `signal` cancels the turn.
 * @throws {TurnError} when the turn could not start; nothing was emitted then.
 */
export async function runTurn(
  request: TurnRequest,
  context: TurnContext,
  emit: Emit,
  signal: AbortSignal,
): Promise<TurnEnd> {
  composePrompt({ text: request.text });
  const { settings } = context;
  const codex = await findCodex(settings.binary, { ...context.environment, ...settings.env });
  const turn = new Turn(request, context, codex, emit, signal);
  const bridge = await openHostTools(request, context, codex, turn.environment, {
    status: (message, data) => turn.gate.status(message, data),
    identify: (call) => turn.identify(call),
  });
  try {
    return await turn.run(bridge);
  } catch (error) {
    return await turn.breakOff(error);
  } finally {
    await bridge?.close();
  }
}

class Turn {
  readonly gate: StartGate;
  readonly #request: TurnRequest;
  readonly #context: TurnContext;
  readonly #codex: CodexBinary;
  readonly #signal: AbortSignal;
  /** codex's environment, without what belongs to a single run. */
  readonly environment: Variables;
  readonly #codexHome: string;
  #thread: Thread | undefined;
  #live: CallIdentifier | undefined;
  /** The thread is gone, and the conversation so far goes into the prompt. */
  #retell = false;

  constructor(
    request: TurnRequest,
    context: TurnContext,
    codex: CodexBinary,
    emit: Emit,
    signal: AbortSignal,
  ) {
    this.#request = request;
    this.#context = context;
    this.#codex = codex;
    this.#signal = signal;
    this.gate = new StartGate(emit);
    this.environment = codexEnvironment(context.environment, context.settings.env, codex);
    this.#codexHome = codexHome(this.environment);
    this.#thread = recallThread(context.store, request, this.#codexHome);
  }

  async run(bridge: Bridge | undefined): Promise<TurnEnd> {
    const { version, untested } = this.#codex.capabilities;
    if (untested) {
      this.gate.status(
        `codex ${version} is newer than ${NEWEST_TESTED}, the newest this plugin was tested with`,
      );
    }
    await this.#applyPending();
    for (let attempt = 0;;) {
      const result = await this.#runOnce(bridge);
      if (result.threadId !== undefined) return await this.#conclude(result, result.threadId);
      const { stopReason, failure } = judgeStart(result);
      if (failure === undefined) {
        return await this.#end({
          stopReason,
          usage: ZERO_USAGE,
          threadId: this.#thread?.threadId ?? "",
        });
      }
      if (failure.kind === "session_lost" && this.#startAfresh(failure)) continue;
      if (!isWorthRetrying(failure) || attempt++ >= this.#context.settings.retries) {
        throw new TurnError(await this.#explained(failure));
      }
      this.gate.status(`codex did not start: ${failure.message}; trying again`, {
        kind: failure.kind,
      });
      await pause(RETRY_PAUSE_MS * 3 ** (attempt - 1), this.#signal);
    }
  }

  /** Ends a turn that our own trouble stopped (a full disk, say): every turn that began has an end. */
  async breakOff(error: unknown): Promise<TurnEnd> {
    const failure: Failure = error instanceof TurnError ? error.failure : {
      kind: "internal",
      message: clip(`the turn broke off: ${error instanceof Error ? error.message : error}`),
      retryable: true,
    };
    if (!this.gate.open) throw new TurnError(failure);
    await this.gate.emit({ type: "error", failure });
    const threadId = this.#thread?.threadId ?? "";
    return await this.#end({ stopReason: "error", usage: ZERO_USAGE, threadId });
  }

  async #runOnce(bridge: Bridge | undefined): Promise<RunResult> {
    const { settings, runningDirectory } = this.#context;
    using directory = TurnDirectory.create(runningDirectory);
    const plan: RunPlan = {
      command: await this.#command(directory, bridge),
      codexHome: this.#codexHome,
      directory,
      limits: settings.limits,
      graceMs: settings.graceMs,
      hostName: (namespace, name) => bridge?.hostName(namespace, name),
      resume: this.#thread,
      onThread: (threadId) => this.#announced(threadId),
      onLive: (run) => this.#live = run,
    };
    return await runCodex(plan, (event) => this.gate.emit(event), this.#signal);
  }

  /** Tells a host tool call before it is run, and finds its id. */
  async identify(call: HostToolCall): Promise<string | undefined> {
    return await this.#live?.identify(call);
  }

  async #command(
    directory: TurnDirectory,
    bridge: Bridge | undefined,
  ): Promise<RunPlan["command"]> {
    const { settings } = this.#context;
    const { workspace, model, text, images, outputSchema, history } = this.#request;
    const { argument, inPrompt } = this.#instructions();
    return {
      path: this.#codex.path,
      args: codexArgs({
        workspace,
        threadId: this.#thread?.threadId,
        model,
        sandbox: settings.sandbox,
        writableRoots: settings.writableRoots,
        networkAccess: settings.networkAccess,
        extraArgs: settings.extraArgs,
        images: imageFiles(images, workspace, directory),
        outputSchema: outputSchema &&
          directory.write("output-schema.json", JSON.stringify(outputSchema)),
        developerInstructions: argument,
        config: [
          ...(settings.userMcpServers === "disable"
            ? await userServerConfig(this.#codex.path, this.environment, workspace)
            : []),
          ...(bridge?.config ?? []),
        ],
      }),
      env: { ...this.environment, ...bridge?.env },
      cwd: workspace,
      prompt: composePrompt({ text, instructions: inPrompt, history: this.#retell ? history : [] }),
      mark: directory.mark,
    };
  }

  /**
   * `developer_instructions` are frozen when the thread starts. What changed since, or is too long
   * for an argument, is said in the prompt.
   */
  #instructions(): { argument: string | undefined; inPrompt: string | undefined } {
    const { system } = this.#request;
    if (system === undefined || system === "") return { argument: undefined, inPrompt: undefined };
    const fits = new TextEncoder().encode(system).length <= MAX_INSTRUCTIONS_BYTES;
    const known = this.#thread?.systemDigest === this.#systemDigest();
    const frozenOut = this.#thread !== undefined && !known;
    return {
      argument: fits ? system : undefined,
      inPrompt: frozenOut || (!fits && !known) ? system : undefined,
    };
  }

  /** Of what the model has been told once this turn ran. */
  #systemDigest(): string | undefined {
    const { system } = this.#request;
    if (system === undefined || system === "") return this.#thread?.systemDigest;
    return createHash("sha256").update(system).digest("hex");
  }

  #announced(threadId: string): void {
    if (this.#thread !== undefined) return;
    // Remembered at once: a plugin that is killed during the turn must find the thread again.
    rememberThread(this.#context.store, this.#request, {
      threadId,
      rolloutPath: undefined,
      from: 0,
      base: ZERO_USAGE,
      systemDigest: this.#systemDigest(),
    });
    const failed = leaveThreadId(this.#request.workspace, threadId);
    if (failed !== undefined) {
      this.#context.log("warning", `cannot leave the thread id in the workspace: ${failed}`);
    }
  }

  /** Whether a lost thread is replaced by a new one; tells so. */
  #startAfresh(failure: Failure): boolean {
    if (this.#thread === undefined || this.#context.settings.onLostSession === "fail") return false;
    this.gate.status(
      `the codex thread ${this.#thread.threadId} is lost (${failure.message}); a new one is started`,
      {
        kind: failure.kind,
        thread_id: this.#thread.threadId,
      },
    );
    this.#thread = undefined;
    this.#retell = true;
    return true;
  }

  async #conclude(result: RunResult, threadId: string): Promise<TurnEnd> {
    const { output, rollout, survivors } = result;
    const { stopReason, failure } = judge(result);
    const evidence = {
      reported: output.terminal?.type === "completed" ? output.terminal.usage : undefined,
      recorded: output.recorded,
      base: this.#thread === undefined ? ZERO_USAGE : this.#thread.base,
    };
    rememberThread(this.#context.store, this.#request, {
      threadId,
      rolloutPath: rollout?.path,
      from: rollout?.offset ?? 0,
      base: totalAfter(evidence),
      systemDigest: this.#systemDigest(),
    });
    await this.#applyPending();
    if (rollout === undefined) {
      await this.gate.status(
        `no session file of thread ${threadId} was found; its tool calls are not reported`,
      );
    }
    if (survivors.length > 0) {
      this.#context.log("warning", "processes of the turn survived being killed", {
        pids: survivors,
      });
    }
    if (output.unknown.size > 0) {
      this.#context.log(
        "debug",
        "codex printed event types this plugin does not know",
        Object.fromEntries(output.unknown),
      );
    }
    if (failure !== undefined) {
      await this.gate.emit({ type: "error", failure: await this.#explained(failure) });
    }
    return await this.#end({ stopReason, usage: turnUsage(evidence), threadId });
  }

  /** Does the consumes that had to wait for a codex to end; what cannot be done yet stays for later. */
  async #applyPending(): Promise<void> {
    const { store, log } = this.#context;
    const { agentId, workspace } = this.#request;
    try {
      const session = { store, codexHome: this.#codexHome, agentId, workspace };
      const { requested, touched, deferred } = await applyPending(session);
      if (requested === 0) return;
      log("info", "codex session mutate complete", {
        agent: agentId,
        touched,
        requested,
        deferred,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log("warning", "codex session mutate failed", { agent: agentId, error: reason });
    }
  }

  async #end(end: TurnEnd): Promise<TurnEnd> {
    await this.gate.emit({ type: "ended", ...end });
    return end;
  }

  /** A login problem is worth one more question to codex. */
  async #explained(failure: Failure): Promise<Failure> {
    if (failure.kind !== "auth_required") return failure;
    return { ...failure, detail: await loginStatus(this.#codex.path, this.environment) };
  }
}

/** Only what went wrong before anything was told, and may go right without anybody's help. */
function isWorthRetrying({ kind }: Failure): boolean {
  return kind === "session_busy" || kind === "crashed" || kind === "mcp_unavailable";
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

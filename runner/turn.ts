/**
 * One turn: from a request to `ended`. What is tried, and how often, is decided here; running codex
 * is `codex_run.ts`, judging the run `verdict.ts`, the thread's fate `turn_thread.ts`.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import type { Bridge } from "../mcp_host/bridge.ts";
import type { HostToolCall } from "../mcp_host/host_tool.ts";
import { NEWEST_TESTED } from "./codex/capabilities.ts";
import { clip } from "../base/clip.ts";
import { type CodexBinary, findCodex } from "./codex/codex_binary.ts";
import { runCodex } from "./exec/codex_run.ts";
import { codexEnvironment, codexHome } from "./codex/environment.ts";
import { openHostTools } from "./host_tools.ts";
import { loginStatus } from "./codex/login_status.ts";
import { pause } from "../base/timer.ts";
import { applyPendingConsumes } from "./pending_consumes.ts";
import { composePrompt } from "./prompt.ts";
import { Retries } from "./failure/retry.ts";
import type { CallIdentifier } from "./exec/run_plan.ts";
import { tellOddities } from "./exec/run_oddities.ts";
import type { RunResult } from "./exec/run_result.ts";
import { StartGate, type TurnFinish } from "./start_gate.ts";
import { turnCommand } from "./exec/turn_command.ts";
import { TurnDirectory } from "./process/turn_directory.ts";
import { type Emit, type Failure, type TurnEnd, TurnError } from "./turn_event.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";
import { TurnThread } from "./turn_thread.ts";
import { ZERO_USAGE } from "./usage.ts";
import type { Variables } from "../base/variables.ts";
import { judge, judgeStart } from "./failure/verdict.ts";

/**
 * Runs one turn and tells it through `emit`, up to and including `ended`. Nothing of it runs any
 * more when `ended` is told. Aborting `signal` cancels the turn.
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
  const turn = new Turn(request, context, codex, new StartGate(emit), signal);
  return await turn.run();
}

class Turn {
  readonly #request: TurnRequest;
  readonly #context: TurnContext;
  readonly #codex: CodexBinary;
  readonly #gate: StartGate;
  readonly #signal: AbortSignal;
  /** codex's environment, without what belongs to a single run. */
  readonly #environment: Variables;
  readonly #codexHome: string;
  readonly #thread: TurnThread;
  #live: CallIdentifier | undefined;

  constructor(
    request: TurnRequest,
    context: TurnContext,
    codex: CodexBinary,
    gate: StartGate,
    signal: AbortSignal,
  ) {
    this.#request = request;
    this.#context = context;
    this.#codex = codex;
    this.#gate = gate;
    this.#signal = signal;
    this.#environment = codexEnvironment(context.environment, context.settings.env, codex);
    this.#codexHome = codexHome(this.#environment);
    this.#thread = new TurnThread(request, context);
  }

  async run(): Promise<TurnEnd> {
    let finish: TurnFinish;
    try {
      finish = await this.#runWithTools();
    } catch (error) {
      finish = this.#brokenOff(error);
    }
    const { end, failure } = finish;
    return await this.#gate.end({ end, failure: failure && await this.#explained(failure) });
  }

  async #runWithTools(): Promise<TurnFinish> {
    const bridge = await openHostTools(
      this.#request,
      this.#context,
      this.#codex,
      this.#environment,
      {
        status: (message, data) => this.#gate.status(message, data),
        identify: (call) => this.#identify(call),
      },
    );
    try {
      return await this.#runUntilStarted(bridge);
    } finally {
      await bridge?.close();
    }
  }

  async #runUntilStarted(bridge: Bridge | undefined): Promise<TurnFinish> {
    const { version, untested } = this.#codex.capabilities;
    if (untested) {
      this.#gate.status(
        `codex ${version} is newer than ${NEWEST_TESTED}, the newest this plugin was tested with`,
      );
    }
    await this.#applyPending();
    await this.#thread.recall(this.#codexHome);
    const retries = new Retries(this.#context.settings.retries);
    while (!this.#signal.aborted) {
      const result = await this.#runOnce(bridge);
      const { threadId } = result;
      if (threadId !== undefined) return await this.#conclude({ ...result, threadId });
      const { failure } = judgeStart(result);
      if (failure === undefined) break;
      if (failure.kind === "session_lost" && this.#startAfresh(failure)) continue;
      const pauseMs = retries.pauseAfter(failure);
      if (pauseMs === undefined) throw new TurnError(await this.#explained(failure));
      this.#gate.status(`codex did not start: ${failure.message}; trying again`, {
        kind: failure.kind,
      });
      await pause(pauseMs, this.#signal);
    }
    return this.#cancelled();
  }

  async #runOnce(bridge: Bridge | undefined): Promise<RunResult> {
    const { settings, runningDirectory } = this.#context;
    using directory = await TurnDirectory.create(runningDirectory);
    const command = await turnCommand(
      {
        request: this.#request,
        settings,
        codex: this.#codex,
        environment: this.#environment,
        thread: this.#thread.resumed,
        retell: this.#thread.retell,
        hostTools: bridge?.access,
      },
      directory,
      this.#signal,
    );
    return await runCodex(
      {
        command,
        codexHome: this.#codexHome,
        directory,
        limits: settings.limits,
        graceMs: settings.graceMs,
        hostName: (namespace, name) => bridge?.hostName(namespace, name),
        resume: this.#thread.resumed,
        // A relay that was refused serves no tools, and codex begins all the same.
        hasHostTools: () => bridge?.access === undefined || bridge.connections > 0,
        onThread: (threadId) => this.#thread.announced(threadId),
        onOver: (run) => this.#thread.remember(run),
        onLive: (run) => this.#live = run,
      },
      (event) => this.#gate.emit(event),
      this.#signal,
    );
  }

  /** Tells a host tool call before it is run, and finds its id. */
  async #identify(call: HostToolCall): Promise<string | undefined> {
    return await this.#live?.identify(call);
  }

  /** Whether a lost thread is replaced by a new one; tells so. */
  #startAfresh(failure: Failure): boolean {
    if (this.#context.settings.onLostSession === "fail") return false;
    const lost = this.#thread.giveUp();
    if (lost === undefined) return false;
    this.#gate.status(
      `the codex thread ${lost} is lost (${failure.message}); a new one is started`,
      { kind: failure.kind, thread_id: lost },
    );
    return true;
  }

  async #conclude(result: RunResult & { threadId: string }): Promise<TurnFinish> {
    const { threadId } = result;
    const usage = await this.#thread.conclude(result);
    await this.#applyPending();
    await tellOddities(result, this.#gate, this.#context);
    const { stopReason, failure } = judge(result);
    return { end: { stopReason, usage, threadId }, failure };
  }

  #applyPending(): Promise<void> {
    return applyPendingConsumes(this.#request, this.#context, this.#codexHome);
  }

  /** The end of a turn that our own trouble stopped (a full disk, say): what began has an end. */
  #brokenOff(error: unknown): TurnFinish {
    const failure: Failure = error instanceof TurnError ? error.failure : {
      kind: "internal",
      message: clip(`the turn broke off: ${errorMessage(error)}`),
      retryable: true,
    };
    if (this.#gate.open) return { ...this.#ending("error"), failure };
    if (this.#signal.aborted) return this.#cancelled();
    throw new TurnError(failure);
  }

  #cancelled(): TurnFinish {
    return this.#ending("cancelled");
  }

  #ending(stopReason: "cancelled" | "error"): TurnFinish {
    return { end: { stopReason, usage: ZERO_USAGE, threadId: this.#thread.id } };
  }

  /** A login problem is worth one more question to codex. */
  async #explained(failure: Failure): Promise<Failure> {
    if (failure.kind !== "auth_required") return failure;
    return { ...failure, detail: await loginStatus(this.#codex.path, this.#environment) };
  }
}

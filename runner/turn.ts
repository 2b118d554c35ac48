/**
 * One turn: from a request to `message_end`. What is tried, and how often, is decided here; a run of codex
 * is `turn_run.ts`, judging it `verdict.ts`, the thread's fate `thread/turn_thread.ts`.
 *
 * @module
 */
import { clip, errorMessage } from "../base/error_message.ts";
import { isDirectory } from "../base/files.ts";
import type { Variables } from "../base/program.ts";
import { pause, unlessAborted, within } from "../base/timer.ts";
import { isEmptied } from "../rollout/state/keep.ts";
import type { StateStore } from "../rollout/state/state.ts";
import { readSubAgents } from "../rollout/sub_agents.ts";
import { NEWEST_TESTED } from "./codex/capabilities.ts";
import { type CodexBinary, findCodex } from "./codex/codex_binary.ts";
import { codexEnvironment, codexHome } from "./codex/environment.ts";
import { loginStatus } from "./codex/login_status.ts";
import { Retries } from "./failure/retry.ts";
import { failureOf, judge, judgeStart, stopped, workspaceGone } from "./failure/verdict.ts";
import { type HostTools, openHostTools } from "./host_tools.ts";
import { type Image, readImages, writeImages } from "./images.ts";
import { TurnFiles } from "./process/turn_directory.ts";
import { composePrompt, instructionsFor } from "./prompt.ts";
import { Stopper, Watchdog } from "./stop.ts";
import { knownThreadId, type ThreadOwner, whyNotResume } from "./thread/thread.ts";
import { TurnThread } from "./thread/turn_thread.ts";
import { usageTold, ZERO_USAGE } from "./thread/usage.ts";
import type { RunInput, Transport } from "./transport.ts";
import { type Failure, type StopReason, type TurnEnd, TurnError } from "./turn_event.ts";
import type { TurnContext, TurnRequest } from "./turn_request.ts";
import { type RunResult, TurnRun } from "./turn_run.ts";
import type { TurnFinish, TurnStream } from "./turn_stream.ts";

/**
 * Runs one turn and tells it through `stream`, up to and including `message_end`. Nothing of it runs
 * any more when that is told. Aborting `signal` cancels the turn. That and the limits count from here
 * on: also while codex is looked for, asked for its version and set up.
 * @throws {TurnError} when the turn could not start and was not cancelled; nothing was emitted then.
 */
export async function runTurn(
  request: TurnRequest,
  context: TurnContext,
  stream: TurnStream,
  signal: AbortSignal,
): Promise<TurnEnd> {
  try {
    return await runStoppable(request, context, stream, signal);
  } catch (error) {
    // Whoever took it back gets no answer, so the end is told.
    if (signal.aborted) return await stream.end(cancelledBefore(context.store, request));
    stream.refuse(error);
    throw error;
  }
}

/** The end of a turn that was cancelled before codex announced its thread. */
export function cancelledBefore(store: StateStore, owner: ThreadOwner): TurnFinish {
  const usage = usageTold(ZERO_USAGE);
  return { end: { stop_reason: "cancelled", usage, thread_id: knownThreadId(store, owner) } };
}

async function runStoppable(
  request: TurnRequest,
  context: TurnContext,
  stream: TurnStream,
  signal: AbortSignal,
): Promise<TurnEnd> {
  composePrompt({ text: request.text });
  using stopper = new Stopper(signal);
  using watchdog = new Watchdog(
    context.settings.limits,
    (watch, limitMs) => stopper.stop({ by: "watchdog", watch, limitMs }),
  );
  return await new Turn(request, context, stream, stopper, watchdog).run();
}

/** How long the sub-agents of a turn that was stopped may be read. */
const STOPPED_READ_MS = 1_000;

/** A codex that was found, and how it is to be run. */
export interface Found {
  codex: CodexBinary;
  /** Without what belongs to a single run. */
  environment: Variables;
  codexHome: string;
  transport: Transport;
}

class Turn {
  readonly #request: TurnRequest;
  readonly #context: TurnContext;
  readonly #stream: TurnStream;
  readonly #stopper: Stopper;
  readonly #watchdog: Watchdog;
  readonly #thread: TurnThread;
  #images: Image[] = [];
  /** The run that can say which recorded call a tool request belongs to. */
  #run: TurnRun | undefined;
  #codexPid: number | undefined;

  constructor(
    request: TurnRequest,
    context: TurnContext,
    stream: TurnStream,
    stopper: Stopper,
    watchdog: Watchdog,
  ) {
    this.#request = request;
    this.#context = context;
    this.#stream = stream;
    this.#stopper = stopper;
    this.#watchdog = watchdog;
    this.#thread = new TurnThread(request, context);
  }

  async run(): Promise<TurnEnd> {
    let finish: TurnFinish;
    try {
      const { images, cwd } = this.#request;
      this.#images = await readImages(images, cwd, this.#stopper.signal);
      finish = await this.#runWithTools(await this.#find());
    } catch (error) {
      finish = this.#brokenOff(error);
    }
    return await this.#stream.end(finish);
  }

  async #find(): Promise<Found> {
    const { settings, environment: own } = this.#context;
    const codex = await findCodex(
      settings.binary,
      codexEnvironment(own, settings.env),
      this.#stopper.signal,
    );
    const { version, untested } = codex.capabilities;
    if (untested && !this.#context.hasPassed?.(codex)) {
      this.#stream.status(
        `codex ${version} is newer than ${NEWEST_TESTED}, the newest this plugin was tested with`,
      );
    }
    const { transport, because } = this.#context.transports.choose(settings, codex);
    if (this.#stream.isLogged) {
      const why = because === undefined ? "" : `: ${because}`;
      const data = { level: "debug", transport: transport.name };
      this.#stream.status(`codex ${version} is run by ${transport.name}${why}`, data);
    }
    const environment = codexEnvironment(own, settings.env, codex);
    return { codex, environment, codexHome: codexHome(environment), transport };
  }

  async #runWithTools(found: Found): Promise<TurnFinish> {
    const opening = openHostTools(this.#request, this.#context, found, {
      status: (message, data) => this.#stream.status(message, data),
      identify: async (call) => await this.#run?.identify(call),
      codexPid: () => this.#codexPid,
    });
    let tools: Awaited<typeof opening>;
    try {
      tools = await this.#unlessStopped(opening);
      return await this.#runUntilStarted(found, tools);
    } finally {
      this.#thread.withdrawRelease();
      if (tools !== undefined) await tools.leave().catch((error) => this.#notPart(error));
      // What is still being opened is left whenever that is done.
      else opening.then((late) => late?.leave()).catch(() => {});
    }
  }

  async #runUntilStarted(found: Found, tools: HostTools | undefined): Promise<TurnFinish> {
    await this.#recall(found);
    this.#mustHaveHome(found);
    const { olderCodex } = this.#context.settings;
    const refused = whyNotResume(this.#thread.resumed, found.codex.capabilities, olderCodex);
    if (refused !== undefined) throw new TurnError(refused);
    const retries = new Retries(this.#context.settings.retries);
    for (;;) {
      const result = await this.#runOnce(found, tools);
      const { threadId } = result;
      if (threadId !== undefined) return await this.#conclude(found, { ...result, threadId });
      const { stopReason, failure } = judgeStart(result);
      if (failure === undefined || stopReason === "cancelled") return this.#ending(stopReason);
      if (failure.kind !== "session_lost" || !this.#startAfresh(failure)) {
        const pauseMs = retries.pauseAfter(failure);
        if (pauseMs === undefined) throw new TurnError(await this.#explained(found, failure));
        if (failure.kind === "session_busy") this.#thread.askForRelease();
        this.#stream.status(`codex did not start: ${failure.message}; trying again`, {
          kind: failure.kind,
        });
        await pause(pauseMs, this.#stopper.signal);
        // Somebody else may have worked on it meanwhile.
        if (this.#thread.resumed !== undefined) await this.#recall(found);
      }
      this.#watchdog.restart();
    }
  }

  /** Where the agent left off, after what was to be consumed. */
  async #recall({ codexHome }: Found): Promise<void> {
    await this.#unlessStopped(this.#thread.applyPending(codexHome));
    await this.#unlessStopped(this.#thread.recall(codexHome));
  }

  async #runOnce(found: Found, tools: HostTools | undefined): Promise<RunResult> {
    await using files = new TurnFiles(this.#context.runningDirectory);
    const input = await this.#input(found, tools, files);
    this.#stopper.signal.throwIfAborted();
    this.#run = new TurnRun({
      transport: found.transport,
      input,
      thread: this.#thread,
      stream: this.#stream,
      watchdog: this.#watchdog,
      hostName: (namespace, name) => tools?.bridge.hostName(namespace, name),
    }, this.#stopper);
    const result = await this.#run.run();
    if (result.survivors.length > 0) {
      const { survivors } = result;
      this.#context.log("warning", "processes of the turn survived being killed", { survivors });
    }
    return result;
  }

  async #input(
    { codex, environment, codexHome }: Found,
    tools: HostTools | undefined,
    files: TurnFiles,
  ): Promise<RunInput> {
    const { agentId, workspace, cwd, model, text, outputSchema, history, system } = this.#request;
    if (!isDirectory(workspace)) throw new TurnError(workspaceGone(workspace));
    const { settings } = this.#context;
    const { resumed, retell } = this.#thread;
    const { argument, inPrompt } = instructionsFor(system, resumed);
    return {
      agentId,
      workspace,
      codex,
      codexHome,
      environment,
      // A link that leads elsewhere by now would make another directory the agent's.
      cwd: leadsTo(cwd, workspace) ? cwd : workspace,
      threadId: resumed?.threadId,
      prompt: composePrompt({ text, instructions: inPrompt, history: retell ? history : [] }),
      instructions: argument,
      images: this.#images.length === 0 ? [] : writeImages(this.#images, await files.directory()),
      outputSchema,
      model,
      sandbox: settings.sandbox,
      writableRoots: settings.writableRoots,
      networkAccess: settings.networkAccess,
      trustWorkspace: settings.trustWorkspace,
      userMcpServers: settings.userMcpServers,
      extraArgs: settings.extraArgs,
      hostTools: tools?.bridge.access,
      hasHostTools: () => tools?.bridge.access === undefined || tools.isReached(),
      onCodex: (pid) => this.#codexPid = pid,
      files,
      graceMs: settings.graceMs,
      warm: settings.warm,
      onStatus: (message, data) => void this.#stream.status(message, data),
    };
  }

  /**
   * A home that is away (not mounted, say) has lost no thread. codex that was started before would make
   * another one, without configuration, and send the conversation wherever that leads.
   */
  #mustHaveHome({ codexHome, environment }: Found): void {
    const isThere = isDirectory(codexHome);
    const isNeeded = environment.CODEX_HOME || this.#thread.resumed !== undefined;
    if (isThere ? !isEmptied(this.#context.store, codexHome) : !isNeeded) return;
    throw new TurnError({
      kind: "config",
      message: clip(`codex: its home ${codexHome} ${isThere ? "has no sessions" : "is not there"}`),
      retryable: false,
      hint: isThere
        ? "Mount it. If its sessions were removed on purpose, make an empty directory `sessions` there."
        : "Make the directory, mount it, or set CODEX_HOME (`env` in config.json) to another one.",
    });
  }

  /** Whether a lost thread is replaced by a new one; tells so. */
  #startAfresh(failure: Failure): boolean {
    if (this.#context.settings.onLostSession === "fail") return false;
    const lost = this.#thread.giveUp();
    if (lost === undefined) return false;
    this.#stream.status(
      `the codex thread ${lost} is lost (${failure.message}); a new one is started`,
      { kind: failure.kind, thread_id: lost },
    );
    return true;
  }

  async #conclude(
    found: Found,
    result: RunResult & { threadId: string },
  ): Promise<TurnFinish> {
    // How the turn ended is known: what follows can add to that, and not change it.
    const { stopReason, failure } = judge(result, {
      ownNames: this.#request.tools.map(({ name }) => name),
      timeZone: found.environment.TZ,
    });
    const { usage, unsaved } = await this.#thread.conclude(result);
    await this.#tellWarnings(result);
    await this.#tellSubAgents(found, result).catch((error) => this.#notPart(error));
    // A thread that the next turn would not find: the host has to know.
    const failed = failure ?? (unsaved === undefined ? undefined : failureOf(unsaved));
    const stop_reason = failed === undefined || stopReason === "cancelled" ? stopReason : "error";
    return {
      end: { stop_reason, usage, thread_id: result.threadId, context: result.output.context },
      failure: failed && await this.#explained(found, failed),
    };
  }

  /** Tells host and operator what is worth knowing besides how the turn ended. */
  async #tellWarnings({ threadId, rollout, output }: RunResult): Promise<void> {
    const { log } = this.#context;
    if (rollout === undefined) {
      await this.#stream.status(
        `no session file of thread ${threadId} was found; its tool calls are not reported`,
      );
    }
    if (output.silent) {
      await this.#stream.status(
        "the turn ended without an answer: the model declined to give one, or had nothing to say",
        { level: "warning" },
      );
    }
    if (output.unknown.size > 0) {
      const counts = Object.fromEntries(output.unknown);
      log("debug", "codex printed event types this plugin does not know", counts);
    }
  }

  /** Their tokens are beside the turn's own, and their calls are in threads of their own. */
  async #tellSubAgents({ codexHome }: Found, { output }: RunResult): Promise<void> {
    if (output.subAgents.size === 0) return;
    const reading = readSubAgents(codexHome, output.subAgents);
    await this.#unlessStopped(reading).catch(() => {});
    if (this.#stopper.signal.aborted && !await within(STOPPED_READ_MS, reading)) return;
    const agents = await reading;
    await this.#stream.status(`the model used ${agents.length} sub-agent(s)`, {
      sub_agents: agents.map(({ threadId, usage, calls }) => ({
        thread_id: threadId,
        tool_calls: calls,
        usage: usageTold(usage ?? ZERO_USAGE),
      })),
    });
  }

  /** What went wrong beside the turn does not decide how it ends. */
  #notPart(error: unknown): void {
    const data = { agent: this.#request.agentId, error: errorMessage(error) };
    this.#context.log("warning", "what is beside a turn was not all seen to", data);
  }

  /** The end of a turn that was stopped, refused, or broken by our own trouble. */
  #brokenOff(error: unknown): TurnFinish {
    const { why } = this.#stopper;
    const { stopReason, failure = undefined } = why === undefined || this.#stream.open
      ? { stopReason: "error" as const, failure: failureOf(error) }
      : stopped(why);
    if (failure !== undefined && !this.#stream.open) throw new TurnError(failure);
    return { ...this.#ending(stopReason), failure };
  }

  #ending(stop_reason: StopReason): TurnFinish {
    return { end: { stop_reason, usage: usageTold(ZERO_USAGE), thread_id: this.#thread.id } };
  }

  /** A login problem is worth one more question to codex. */
  async #explained({ codex, environment }: Found, failure: Failure): Promise<Failure> {
    if (failure.kind !== "auth_required") return failure;
    return { ...failure, detail: await loginStatus(codex.path, environment, this.#stopper.signal) };
  }

  /** Work that may take long, and that nobody waits for once the turn is stopped. */
  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#stopper.signal);
  }
}

function leadsTo(path: string, directory: string): boolean {
  try {
    return Deno.realPathSync(path) === directory;
  } catch {
    return false; // Whoever starts codex there says so.
  }
}

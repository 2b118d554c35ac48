/**
 * The thread of one turn: recalled before it, announced by codex, given up when codex has lost it,
 * and remembered for the next turn.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { removeIfThere } from "../../base/files.ts";
import { applyPending, ConsumeInterrupted } from "../../rollout/consume/consume.ts";
import { instructionsFor } from "../prompt.ts";
import type { TurnUsage } from "../turn_event.ts";
import type { TurnContext, TurnRequest } from "../turn_request.ts";
import type { RunProgress } from "../turn_run.ts";
import {
  knownThreadId,
  leaveThreadId,
  recallThread,
  rememberThread,
  type Thread,
} from "./thread.ts";
import { totalAfter, turnUsage, type UsageEvidence, usageTold, ZERO_USAGE } from "./usage.ts";

/** Follows the thread through the turn. */
export class TurnThread {
  readonly #request: TurnRequest;
  readonly #context: TurnContext;
  #resumed: Thread | undefined;
  #announced: string | undefined;
  #lost = false;
  /** The request that somebody lets the thread go. */
  #asked: string | undefined;
  /** What was remembered last. */
  #remembered: Thread | undefined;
  /** Resolves when all that is to be remembered is on disk, rejects where it cannot be. */
  #saving: Promise<void> = Promise.resolve();

  constructor(request: TurnRequest, context: TurnContext) {
    this.#request = request;
    this.#context = context;
  }

  /** The thread to resume; `undefined` for a new one. */
  get resumed(): Thread | undefined {
    return this.#resumed;
  }

  /** Whether a new thread stands in for a lost one, and has to be told the conversation so far. */
  get retell(): boolean {
    return this.#lost;
  }

  /** The id that is known by now, also before `recall`; empty for one that codex has not announced yet. */
  get id(): string {
    const known = this.#announced ?? this.#resumed?.threadId;
    if (known !== undefined || this.#lost) return known ?? "";
    return knownThreadId(this.#context.store, this.#request);
  }

  /** Looks up where the agent left off. */
  async recall(codexHome: string): Promise<void> {
    const { store, sessionFile } = this.#context;
    this.#resumed = await recallThread(store, this.#request, codexHome, sessionFile);
  }

  /**
   * Does consumes that had to wait, as far as that can be done now.
   * @throws {ConsumeInterrupted} codex must not read the thread as it is.
   */
  async applyPending(codexHome: string): Promise<void> {
    const { agentId, workspace } = this.#request;
    const { store, log, transports } = this.#context;
    try {
      const session = { store, codexHome, agentId, workspace };
      const { requested, touched, deferred } = await applyPending(
        session,
        (threadId) => transports.free(threadId),
      );
      if (requested === 0) return;
      const data = { agent: agentId, touched, requested, deferred };
      log("info", "codex session mutate complete", data);
    } catch (error) {
      const data = { agent: agentId, error: errorMessage(error) };
      log("warning", "codex session mutate failed", data);
      if (error instanceof ConsumeInterrupted) throw error;
    }
  }

  /** codex announced its thread. Never rejects: `conclude` tells what cannot be remembered. */
  async announced(threadId: string): Promise<void> {
    this.#announced = threadId;
    if (this.#resumed !== undefined) return;
    // Remembered before anybody is told of it: a plugin that is killed during the turn must find the
    // thread again, and a turn that waits behind this one must know it.
    this.#save({
      threadId,
      rolloutPath: undefined,
      from: 0,
      base: ZERO_USAGE,
      systemDigest: instructionsFor(this.#request.system, undefined).digest,
    });
    await this.#saving.catch(() => {});
    if (this.#context.sessionFile === false) return;
    const failed = leaveThreadId(this.#request.workspace, threadId);
    if (failed !== undefined) {
      this.#context.log("warning", `cannot leave the thread id in the workspace: ${failed}`);
    }
  }

  /** codex has lost the thread: a new one takes its place. Returns the lost one's id. */
  giveUp(): string | undefined {
    const lost = this.#resumed?.threadId;
    this.#resumed = undefined;
    this.#lost = lost !== undefined;
    return lost;
  }

  /**
   * Asks another plugin of this profile, which may keep the thread loaded, to let it go. The request stands
   * until it is withdrawn.
   */
  askForRelease(): void {
    if (this.#resumed === undefined) return;
    this.#asked = this.#context.store.threadFile(this.#resumed.threadId, "release");
    try {
      Deno.writeTextFileSync(this.#asked, "", { mode: 0o600 });
    } catch {
      // Whoever cannot ask has to wait.
    }
  }

  /** Nobody has to let the thread go any more. */
  withdrawRelease(): void {
    if (this.#asked !== undefined) removeIfThere(this.#asked);
  }

  /** Begins to remember how far the thread is, durably; costs nothing when it knows that already. */
  remember({ threadId, output, rollout, begun }: RunProgress): void {
    if (threadId === undefined) return;
    const thread = this.#resumed;
    const told = begun || thread === undefined;
    const known: Thread = {
      threadId,
      rolloutPath: rollout?.path,
      from: rollout?.offset ?? 0,
      base: totalAfter(this.#evidence(output)),
      systemDigest: told
        ? instructionsFor(this.#request.system, thread).digest
        : thread?.systemDigest,
    };
    if (JSON.stringify(known) !== JSON.stringify(this.#remembered)) this.#save(known);
  }

  /**
   * What the turn used. Resolves when nothing can be lost any more: the thread itself, and what the model
   * was told. How far it is, the next turn would find in the rollout, too, so nobody waits for that.
   * Never rejects: `unsaved` is why the thread cannot be remembered.
   */
  async conclude(run: RunProgress): Promise<{ usage: TurnUsage; unsaved: unknown }> {
    this.remember(run);
    const usage = usageTold(turnUsage(this.#evidence(run.output)));
    const before = this.#resumed;
    const waits = before === undefined || before.systemDigest !== this.#remembered?.systemDigest;
    const saved = waits ? this.#saving : Promise.resolve();
    return { usage, unsaved: await saved.then(() => undefined, (error: unknown) => error) };
  }

  #save(thread: Thread): void {
    this.#remembered = thread;
    this.#saving = rememberThread(this.#context.store, this.#request, thread);
    this.#saving.catch((error) => {
      const data = { agent: this.#request.agentId, error: errorMessage(error) };
      this.#context.log("warning", "the state of the thread could not be saved", data);
    });
  }

  #evidence({ terminal, recorded }: RunProgress["output"]): UsageEvidence {
    return {
      reported: terminal?.type === "completed" ? terminal.usage : undefined,
      recorded,
      base: this.#resumed === undefined ? ZERO_USAGE : this.#resumed.base,
    };
  }
}

/**
 * What a run of codex is asked to do, and whom it tells.
 *
 * @module
 */
import type { CodexCommand } from "./codex_process.ts";
import type { Learned } from "./run_result.ts";
import type { TurnDirectory } from "../process/turn_directory.ts";
import type { HostName } from "../turn_output.ts";
import type { WatchLimits } from "../watchdog.ts";

/** What to run and how. */
export interface RunPlan {
  command: CodexCommand;
  codexHome: string;
  directory: TurnDirectory;
  limits: WatchLimits;
  graceMs: number;
  hostName: HostName;
  /** The thread to be resumed and where its rollout ends now. */
  resume?: { threadId: string; rolloutPath: string | undefined; from: number } | undefined;
  /** Whether codex got the host's tools, or there are none to get; asked when codex is ready. */
  hasHostTools(): boolean;
  /** Told as soon as codex announced its thread, before the `started` event goes out. */
  onThread(threadId: string): void;
  /** Told what was learned when codex has said its last word, while it is busy exiting. */
  onOver?(run: Learned): void;
  /** Told once codex runs: who can say which recorded call a tool request belongs to. */
  onLive?(run: CallIdentifier): void;
}

/** Finds the call id of a request that reached the host's tools. */
export interface CallIdentifier {
  /**
   * Tells everything recorded so far, so that the call is told before it is run, and returns its id:
   * `callId` where codex sent it, else the oldest recorded call of that name and those arguments
   * that nobody has claimed.
   */
  identify(
    call: { callId?: string; name: string; arguments: unknown },
  ): Promise<string | undefined>;
}

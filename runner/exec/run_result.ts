/**
 * What became of a run of codex.
 *
 * @module
 */
import type { ExitStatus } from "./codex_process.ts";
import type { TurnOutput } from "../turn_output.ts";
import type { Watch } from "../watchdog.ts";

/** Why a run was ended by us. */
export type Stop =
  | { by: "cancel" }
  | { by: "watchdog"; watch: Watch; limitMs: number }
  /** codex began another thread than the one it was asked to resume. */
  | { by: "stray"; threadId: string }
  /** codex began the turn without the host's tools. */
  | { by: "toolless" };

/** What is known when codex is gone. */
export interface RunResult {
  threadId: string | undefined;
  /** Whether codex began the turn, so that the model has been told what it was to be told. */
  begun: boolean;
  output: TurnOutput;
  exit: ExitStatus;
  /** Set when we ended codex although it had not said its last word. */
  stop: Stop | undefined;
  /** codex had said its last word and did not go by itself. */
  lingered: boolean;
  stderr: string;
  /** Processes of the turn that could not be ended. */
  survivors: number[];
  /** The rollout as far as it was read; absent where none was found. */
  rollout: { path: string; offset: number } | undefined;
}

/** What is known of a run before its process has ended. */
export type Learned = Pick<RunResult, "threadId" | "begun" | "output" | "rollout">;

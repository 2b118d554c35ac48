/**
 * The seam: what a turn needs of codex, whichever way codex is run.
 *
 * A transport runs codex once for a turn and says what codex said. It knows how codex is started,
 * spoken to, interrupted and ended; it does not judge, count tokens, watch limits, remember threads,
 * follow the rollout or serve host tools: those are the turn's, and are the same for each transport.
 *
 * Events are pulled: as long as nobody asks for the next one, codex is not read on. `outcome` settles
 * when nothing of the run is left, and only after `events` has been pulled to its end or returned.
 *
 * @module
 */
import type { Usage } from "../rollout/records/events.ts";
import type { TomlValue } from "../base/toml.ts";
import type { Variables } from "../base/program.ts";
import type { CodexBinary } from "./codex/codex_binary.ts";
import type { TurnFiles } from "./process/turn_directory.ts";
import type { TurnSettings } from "./turn_request.ts";

/** One way to run codex. */
export interface Transport {
  /** For people and for the host; nothing is decided by it. */
  readonly name: "exec" | "app-server";
  /** Whether codex, and with it the relay of the host's tools, may stay when a run is over. */
  readonly stays: boolean;
  /**
   * Runs codex once. Aborting `signal` interrupts it: what codex still says and records is read,
   * then it is ended. Never throws; what went wrong is in `outcome`.
   */
  run(input: RunInput, signal: AbortSignal): CodexRun;
  /**
   * Lets go of the agent's thread where it is kept loaded: of its file and the lock on it. `"leave"`:
   * somebody else is to have it, or to change it. `"reload"`: it was changed, and is read again now.
   */
  release(agent: AgentKey, why: "reload" | "leave"): Promise<void>;
  /** Ends every process that stays between runs. */
  close(): Promise<void>;
}

/** What codex's own tools may touch. */
export type Sandbox = "read-only" | "workspace-write" | "danger-full-access";

/** Whose thread it is. */
export interface AgentKey {
  agentId: string;
  /** The resolved path. */
  workspace: string;
}

/** What codex is to do in one run. Paths are absolute. */
export interface RunInput extends AgentKey {
  codex: CodexBinary;
  codexHome: string;
  /** codex's environment, without what belongs to a single run. */
  environment: Variables;
  /** The workspace as it was given: codex's working directory. */
  cwd: string;
  /** The thread to go on with; `undefined` starts one. */
  threadId: string | undefined;
  /** What the model reads as the user's message; never empty. */
  prompt: string;
  /** Goes to the model as a developer message when a thread starts, and is frozen there. */
  instructions: string | undefined;
  /** Files, looked at already. */
  images: readonly string[];
  /** A JSON Schema for the final answer. */
  outputSchema: Record<string, unknown> | undefined;
  /** `undefined` leaves it to codex's own configuration. */
  model: string | undefined;
  sandbox: Sandbox;
  writableRoots: readonly string[];
  networkAccess: boolean;
  /** Whether codex may believe the workspace's own `.codex/`. */
  trustWorkspace: boolean;
  userMcpServers: "keep" | "disable";
  extraArgs: readonly string[];
  /** How codex reaches the host's tools; absent when there are none. */
  hostTools: HostToolsAccess | undefined;
  /**
   * Whether codex has reached the host's tools, or was given none; for when its thread is loaded. A relay
   * that was refused serves no tools, and codex begins all the same.
   */
  hasHostTools: () => boolean;
  /** Where files of this run go; the directory's name is the mark of processes that end with the run. */
  files: TurnFiles;
  /** How long codex may take to stop once it was asked to. */
  graceMs: number;
  /** How long what stays between runs is kept, by now. */
  warm: TurnSettings["warm"];
  /** codex's process, as soon as it runs: what descends from it may use the host's tools. */
  onCodex?: (pid: number) => void;
  /** Something a person would want to read about how codex is run (a fallback, a new process). */
  onStatus(message: string, data?: Record<string, unknown>): void;
}

/** codex's own configuration of the MCP server that is the host's tools. */
export interface HostToolsAccess {
  /** The server's name in codex. */
  name: string;
  /**
   * The entry below `mcp_servers`, to be merged over what codex's own configuration may have of it.
   * Nothing in it is secret; `env` below counts before an `env` in here.
   */
  server: Record<string, TomlValue>;
  /** For the relay's environment: socket, agent id, token. Secret. */
  env: Variables;
  /** Other keys of codex's configuration, with their values. */
  config: Record<string, TomlValue>;
  /** Equal exactly when a loaded thread need not be told anything new. */
  fingerprint: string;
}

/** One run of codex. */
export interface CodexRun {
  events: AsyncIterable<CodexEvent>;
  /** Never rejects. */
  outcome: Promise<RunOutcome>;
}

/** What codex said, in the order in which it said it. */
export type CodexEvent =
  /** The thread is known and codex is ready to begin; on a resume the id that was asked for, or not. */
  | { type: "thread_started"; threadId: string }
  /** The model is about to be told the prompt. */
  | { type: "turn_started" }
  /** A piece of an item's text; joined, the pieces are the start of the text of `message`. */
  | { type: "message_delta"; item: string; text: string; phase?: string | undefined }
  /** An item is whole; comes for every message, with or without pieces before it. */
  | { type: "message"; item: string; text: string; phase?: string | undefined }
  | { type: "reasoning_delta"; item: string; text: string }
  | { type: "reasoning"; item: string; text: string }
  /** An item of which pieces were told will not be completed. */
  | { type: "retracted"; item: string }
  /** Progress that reads like an error; `reconnecting` when codex waits for the model's address. */
  | { type: "notice"; message: string; reconnecting: boolean; info?: unknown }
  | { type: "warning"; message: string }
  | { type: "plan"; steps: { text: string; completed: boolean }[] }
  | { type: "web_search"; query: string }
  /** The thread after the last request: tokens it holds, tokens the model takes. */
  | { type: "context"; used: number; window: number }
  /** codex's last word, with its own count of the THREAD's tokens where it gives one. */
  | { type: "turn_completed"; usage: Usage | undefined }
  /**
   * codex's last word. Where the transport shows them: `info`, codex's own name of the error as the
   * rollout spells it, and `resetsAt`, when the limit that is used up is open again (Unix seconds).
   */
  | { type: "turn_failed"; message: string; info?: unknown; resetsAt?: number | undefined }
  /** codex lives, and said nothing that means anything here: tool items, bytes of a long line. */
  | { type: "alive" }
  /** A type that this plugin does not know. */
  | { type: "unknown"; name: string }
  /** What cannot be read, and why. */
  | { type: "broken"; reason: string };

/** How a run ended, when nothing of it is left. */
export interface RunOutcome {
  /** How the process ended; absent where it lives on: as it should, or as one of `survivors`. */
  exit: { code: number; signal: string | undefined } | undefined;
  /** codex could not be started, or refused the thread: the reason, as an Error with its failure. */
  refused: Error | undefined;
  /** codex had said its last word and did not go by itself. */
  lingered: boolean;
  /** The end of what codex wrote to stderr, at most 16 KiB. */
  stderr: string;
  /** Processes of the run that could not be ended. */
  survivors: { pid: number; command: string }[];
}

/**
 * What a turn is asked for and what it runs with.
 *
 * @module
 */
import type { Variables } from "../base/program.ts";
import type { HostTool, HostToolAnswer, HostToolCall } from "../mcp_host/host_tool.ts";
import type { StateStore } from "../rollout/state/state.ts";
import type { CodexBinary } from "./codex/codex_binary.ts";
import type { ImageInput } from "./images.ts";
import type { PastMessage } from "./prompt.ts";
import type { WatchLimits } from "./stop.ts";
import type { Sandbox } from "./transport.ts";
import type { Transports } from "./transports.ts";

/** One turn, as the caller wants it. */
export interface TurnRequest {
  agentId: string;
  /** The real path of a directory that exists: whose thread it is. */
  workspace: string;
  /** The same directory as it was given: where codex works. */
  cwd: string;
  /** codex's `--model`; `undefined` leaves it to codex's own configuration. */
  model: string | undefined;
  /** The text of the last user message. */
  text: string;
  images: readonly ImageInput[];
  /** Instructions besides codex's own. */
  system: string | undefined;
  /** A JSON Schema that the final answer must satisfy. */
  outputSchema: Record<string, unknown> | undefined;
  /** The conversation before this message; used only when codex lost the thread. */
  history: readonly PastMessage[];
  tools: readonly HostTool[];
  /** Runs one of `tools` at the host. */
  callTool: (call: HostToolCall) => Promise<HostToolAnswer>;
}

/** How codex is kept between turns: how long, how many in all, and whether one is started ahead. */
export interface Warm {
  idleMs: number;
  max: number;
  spare: boolean;
}

/** What the operator decided; durations in milliseconds. */
export interface TurnSettings {
  binary: string;
  extraArgs: readonly string[];
  sandbox: Sandbox;
  writableRoots: readonly string[];
  networkAccess: boolean;
  /** Whether codex may believe the workspace's own `.codex/`. */
  trustWorkspace: boolean;
  /** Added to codex's environment. */
  env: Variables;
  onLostSession: "fresh" | "fail";
  /** Whether a codex before 0.148 may resume, and thereby destroy, a thread of a later one. */
  olderCodex: "refuse" | "resume";
  /** Fresh starts after a codex that ended before it announced its thread. */
  retries: number;
  limits: WatchLimits;
  graceMs: number;
  /** How codex is run; `auto` takes the app-server where that can do what is asked. */
  transport: "auto" | "app-server" | "exec";
  /** As it is wanted now: what the operator changes counts also for a codex that waits already. */
  warm: () => Warm;
  toolTimeoutMs: number;
  toolResultMaxBytes: number;
  userMcpServers: "keep" | "disable";
  mcpRegistration: "per-run" | "codex-config";
}

/** What a turn needs from the process it runs in. */
export interface TurnContext {
  settings: TurnSettings;
  /** The plugin's own environment. */
  environment: Variables;
  /** Directory of the turns that are running now. */
  runningDirectory: string;
  /** Where sockets go. */
  runtimeDirectory: string;
  store: StateStore;
  transports: Transports;
  /**
   * Whether the workspace's `.plexum-codex-session` is read and written, as it is unless told
   * otherwise. A turn by hand must neither take over nor replace the thread of the agent there.
   */
  sessionFile?: boolean;
  /** Whether this codex passed a self-test here, so that a version newer than any tested one is no news. */
  hasPassed?: (codex: CodexBinary) => boolean;
  /** How to start this program: its path and leading arguments. */
  executable: readonly string[];
  version: string;
  log(level: "debug" | "info" | "warning", message: string, data?: Record<string, unknown>): void;
}

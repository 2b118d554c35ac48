/**
 * The command line of one turn: a pure function of what was configured and asked.
 *
 * The order is the only one that every version from 0.135 to 0.169 takes: all flags on `exec`, then
 * `-C`, then `resume` with what only it takes (`--image`), then `--`, the id, and `-` for stdin.
 * codex keeps nothing of an earlier run's flags, so all of them are given every turn.
 *
 * @module
 */

import { toml } from "../../base/toml.ts";
import type { HostToolsAccess } from "../transport.ts";

/** What codex's own tools may touch. */
export type Sandbox = "read-only" | "workspace-write" | "danger-full-access";

/** Everything that decides the command line. Paths are absolute. */
export interface ArgvInput {
  workspace: string;
  /** A UUID; `undefined` starts a new thread. (Anything else silently starts one, too.) */
  threadId?: string | undefined;
  /** codex's `--model`; `undefined` leaves it to codex's own configuration. */
  model?: string | undefined;
  sandbox: Sandbox;
  writableRoots: readonly string[];
  networkAccess: boolean;
  /** The operator's own arguments, unchecked. */
  extraArgs: readonly string[];
  images: readonly string[];
  outputSchema?: string | undefined;
  /** Goes to the model as a developer message when the thread starts, and is frozen there. */
  developerInstructions?: string | undefined;
  /** Whether codex may believe `.codex/` in the workspace; `undefined` leaves it to codex. */
  projectTrust?: "trusted" | "untrusted" | undefined;
  /** More `key=value` pairs for `-c`, values in TOML. */
  config: readonly string[];
}

/** Longest single argument on Linux, in bytes. */
export const MAX_ARGUMENT_BYTES = 131_071;

/** The arguments after `codex`. The prompt is not among them: it goes to stdin. */
export function codexArgs(input: ArgvInput): string[] {
  const config = [
    'approval_policy="never"',
    // Offline, 0.148 and later would reconnect for ever; older versions ignore the key.
    "features.unbounded_connection_retries=false",
    ...(input.sandbox === "workspace-write" ? workspaceWrite(input) : []),
    ...(input.projectTrust === undefined
      ? []
      : [`projects=${toml.value({ [input.workspace]: { trust_level: input.projectTrust } })}`]),
    ...(input.developerInstructions === undefined
      ? []
      : [instructionsArgument(input.developerInstructions)]),
    ...input.config,
  ];
  const images = input.images.map((path) => `--image=${path}`);
  return [
    "exec",
    "--json",
    "--skip-git-repo-check",
    "--sandbox",
    input.sandbox,
    ...(input.model === undefined ? [] : [`--model=${input.model}`]),
    ...(input.outputSchema === undefined ? [] : ["--output-schema", input.outputSchema]),
    ...config.flatMap((pair) => ["-c", pair]),
    ...input.extraArgs,
    "-C",
    input.workspace,
    ...(input.threadId === undefined
      ? [...images, "--", "-"]
      : ["resume", ...images, "--", input.threadId, "-"]),
  ];
}

/**
 * Values for `-c` that tell codex of the host's tools. Argv is public, so what is secret is not
 * among them: codex is told which variables of its own environment to pass on to the relay.
 */
export function hostToolsConfig({ name, server, env, config }: HostToolsAccess): string[] {
  const variables = Object.keys(env);
  return [
    `mcp_servers.${toml.key(name)}=${toml.value({ ...server, env_vars: variables })}`,
    // Commands the model runs inherit codex's environment; these are none of their business.
    // (In a sandbox they could not connect anyway: codex's seccomp filter answers EPERM.)
    ...variables.map((variable) => `shell_environment_policy.set.${variable}=""`),
    ...Object.entries(config).map(([key, value]) => `${key}=${toml.value(value)}`),
  ];
}

/** The value for `-c` that carries the instructions. */
export function instructionsArgument(instructions: string): string {
  return `developer_instructions=${toml.value(instructions)}`;
}

function workspaceWrite({ writableRoots, networkAccess }: ArgvInput): string[] {
  return [
    ...(writableRoots.length === 0
      ? []
      : [`sandbox_workspace_write.writable_roots=${toml.value([...writableRoots])}`]),
    ...(networkAccess ? ["sandbox_workspace_write.network_access=true"] : []),
  ];
}

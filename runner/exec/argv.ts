/**
 * The command line of one run: a pure function of what was configured and asked.
 *
 * The order is the only one that every version from 0.135 to 0.169 takes: all flags on `exec`, then
 * `-C`, then `resume` with what only it takes (`--image`), then `--`, the id, and `-` for stdin.
 * codex keeps nothing of an earlier run's flags, so all of them are given every turn.
 *
 * @module
 */

import { toml, type TomlValue } from "../../base/toml.ts";
import type { HostToolsAccess, RunInput } from "../transport.ts";

/** What of a run decides the command line. Paths are absolute. */
export type ArgvInput =
  & Pick<
    RunInput,
    "cwd" | "sandbox" | "writableRoots" | "networkAccess" | "extraArgs" | "images"
  >
  & Partial<
    Pick<
      RunInput,
      "workspace" | "threadId" | "model" | "instructions" | "hostTools" | "trustWorkspace"
    >
  >
  & {
    /** Whether this codex believes the workspace's own `.codex/` when nobody says a word. */
    trustsUnasked?: boolean;
    /** File with the JSON Schema. */
    outputSchema?: string | undefined;
    /** More `key=value` pairs for `-c`, values in TOML. */
    config: readonly string[];
  };

/** Longest single argument on Linux, in bytes. */
export const MAX_ARGUMENT_BYTES = 131_071;

/** The arguments after `codex`. The prompt is not among them: it goes to stdin. */
export function codexArgs(input: ArgvInput): string[] {
  const { cwd, instructions, hostTools, threadId } = input;
  const trust = projectTrust(input);
  const config = [
    'approval_policy="never"',
    // Offline, 0.148 and later would reconnect for ever; older versions ignore the key.
    "features.unbounded_connection_retries=false",
    ...(input.sandbox === "workspace-write" ? workspaceWrite(input) : []),
    ...(trust === undefined ? [] : [`projects=${toml.value(projects(input, trust))}`]),
    ...(instructions === undefined ? [] : [instructionsArgument(instructions)]),
    ...input.config,
    ...(hostTools === undefined ? [] : hostToolsConfig(hostTools)),
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
    cwd,
    ...(threadId === undefined
      ? [...images, "--", "-"]
      : ["resume", ...images, "--", threadId, "-"]),
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

/** Under either name: codex resolves a link on the way to the workspace, or not. */
function projects({ cwd, workspace = cwd }: ArgvInput, trust: string): Record<string, TomlValue> {
  return { [cwd]: { trust_level: trust }, [workspace]: { trust_level: trust } };
}

/** Later versions trust nothing unasked, and need no word against it. */
function projectTrust(
  { trustWorkspace, trustsUnasked }: ArgvInput,
): "trusted" | "untrusted" | undefined {
  if (trustWorkspace) return "trusted";
  return trustsUnasked ? "untrusted" : undefined;
}

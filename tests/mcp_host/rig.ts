/**
 * A bridge with a host behind it, and clients that reach it the way codex does: by a relay process.
 */
import { fromFileUrl } from "@std/path";
import { Client } from "@modelcontextprotocol/sdk/client";
import {
  type Bridge,
  type BridgeCapabilities,
  type BridgeOptions,
  type BridgeTurn,
  openBridge,
} from "../../mcp_host/bridge.ts";
import type { HostToolCall } from "../../mcp_host/host_tool.ts";
import { hostToolsConfig } from "../../runner/exec/argv.ts";
import { PERMISSIONS } from "../support/permissions.ts";
import { ProcessTransport } from "./process_transport.ts";

/** How to start the relay without the executable: the same permissions, the same code. */
export const RELAY: readonly string[] = [
  Deno.execPath(),
  "run",
  "--no-check",
  "--no-config",
  "--no-lock",
  ...PERMISSIONS,
  fromFileUrl(new URL("./relay_main.ts", import.meta.url)),
];

/** A short temp directory that is removed at the end of the test. */
export function tempDir(): { path: string; [Symbol.dispose](): void } {
  const path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "pm" });
  return {
    path,
    [Symbol.dispose]() {
      Deno.removeSync(path, { recursive: true });
    },
  };
}

/** A bridge and what it was heard to say. */
export interface Rig extends AsyncDisposable {
  bridge: Bridge;
  /** Takes the rig's turn off the bridge. */
  detach: () => void;
  /** Values for codex's `-c`. */
  config: string[];
  /** To be added to codex's environment. */
  env: Record<string, string>;
  statuses: string[];
  calls: HostToolCall[];
  runtimeDir: string;
}

/** Opens a bridge whose host echoes the arguments, unless `options` says otherwise. */
export async function openRig(
  options: Partial<BridgeOptions & BridgeTurn> = {},
  capabilities: BridgeCapabilities = { omitToolsFrom: true },
): Promise<Rig> {
  const directory = tempDir();
  const statuses: string[] = [];
  const calls: HostToolCall[] = [];
  const { call, owns, ...rest } = options;
  const bridge = await openBridge({
    agentId: "cx",
    tools: [{ name: "echo", description: "Echoes.", inputSchema: { type: "object" } }],
    executable: RELAY,
    runtimeDir: directory.path,
    toolTimeoutMs: 600_000,
    resultMaxBytes: 1_000_000,
    ...rest,
  }, capabilities).catch((error) => {
    directory[Symbol.dispose]();
    throw error;
  });
  const detach = bridge.attach({
    onStatus: (message) => statuses.push(message),
    owns,
    call: async (asked) => {
      calls.push(asked);
      if (call) return await call(asked);
      return { content: [{ type: "text", text: asked.arguments.text }] };
    },
  });
  return {
    bridge,
    detach,
    config: bridge.access ? hostToolsConfig(bridge.access) : [],
    env: bridge.access?.env ?? {},
    statuses,
    calls,
    runtimeDir: directory.path,
    async [Symbol.asyncDispose]() {
      await bridge.close();
      directory[Symbol.dispose]();
    },
  };
}

/** The official client on a relay process. */
export interface Codex extends AsyncDisposable {
  client: Client;
  transport: ProcessTransport;
}

/** Connects the official client through a relay that was started with `env`. */
export async function connectClient(env: Record<string, string>): Promise<Codex> {
  const transport = new ProcessTransport([...RELAY, "mcp-host"], env);
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  return { client, transport, [Symbol.asyncDispose]: () => client.close() };
}

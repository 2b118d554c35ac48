/**
 * Where relays arrive when codex's config names the socket once and for all.
 *
 * The socket is the same for every turn of an agent: `plexum-codex-mcp-<agent>.sock` in a 0700
 * directory of ours. Turns of this process share it. Where another process has it (two hosts, one
 * agent), the turn gets a socket of its own, and codex is told so for this run. The token is never
 * in the config: codex passes it on from its environment, and it differs from turn to turn.
 *
 * @module
 */
import { join } from "@std/path";
import type { BridgeOptions } from "../bridge.ts";
import { registerEntry } from "./codex_config.ts";
import { Listener, type ListenerTiming } from "../listener/listener.ts";
import { withLock } from "../../base/lock.ts";
import { checkSocketPath, makeOwnDirectory, removeSocket } from "../listener/socket_dir.ts";
import { somebodyListens } from "../listener/sweep.ts";
import { fitName } from "../server/tool_names.ts";

const LOCK_TIMEOUT_MS = 10_000;
/** Longest part of the server's name; what it takes is missing from the names of the tools. */
const AGENT_NAME_MAX = 24;

/** Where a bridge listens, and how codex comes to start its relay. */
export interface Address {
  /** Absent where registering failed, for the reason that `fault` says. */
  listener?: Listener;
  fault?: string;
  serverName: string;
  /** How to start the relay; absent where codex's config has it already. */
  command?: readonly string[];
  /** Variables that must be set for the relay, because codex's config has others. */
  env?: Record<string, string>;
}

const listeners = new Map<string, Promise<Listener | undefined>>();

/** The address of a bridge whose server is registered in codex's config. */
export async function openFixedSocket(
  options: BridgeOptions,
  timing: ListenerTiming,
): Promise<Address> {
  const { agentId, codexConfig, executable, runtimeDir } = options;
  const agent = fitName(agentId, /[^A-Za-z0-9_-]/g, AGENT_NAME_MAX);
  const serverName = `plexum-host-${agent}`;
  const directory = makeOwnDirectory(runtimeDir, "plexum-codex-mcp");
  const socket = join(directory, `plexum-codex-mcp-${agent}.sock`);
  checkSocketPath(socket);
  if (!codexConfig) return { serverName };
  const registered = await registerEntry(codexConfig, {
    name: serverName,
    command: [...executable, "mcp-host"],
    env: { PLEXUM_MCP_SOCKET: socket, PLEXUM_MCP_AGENT_ID: agentId },
  });
  if (!registered.ok) return { serverName, fault: registered.reason };
  const listener = await sharedListener(socket, directory, timing);
  if (listener) return { listener, serverName };
  const own = Listener.fresh(runtimeDir, timing);
  return { listener: own, serverName, env: { PLEXUM_MCP_SOCKET: own.socket } };
}

/** The agent's listener in this process, reserved; `undefined` where another process has it. */
async function sharedListener(
  socket: string,
  directory: string,
  timing: ListenerTiming,
): Promise<Listener | undefined> {
  for (;;) {
    const opening = listeners.get(socket) ?? openListener(socket, directory, timing);
    listeners.set(socket, opening);
    const listener = await opening.catch((error) => {
      listeners.delete(socket);
      throw error;
    });
    if (listener?.reserve()) return listener;
    if (listeners.get(socket) === opening) listeners.delete(socket);
    if (!listener) return undefined;
  }
}

function openListener(
  socket: string,
  directory: string,
  timing: ListenerTiming,
): Promise<Listener | undefined> {
  return withLock(join(directory, "lock"), LOCK_TIMEOUT_MS, async () => {
    if (await somebodyListens(socket)) return undefined;
    removeSocket(socket);
    return new Listener(socket, timing, () => removeSocket(socket));
  });
}

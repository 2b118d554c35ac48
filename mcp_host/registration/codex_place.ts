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
import { Door, type DoorTiming } from "../listener/door.ts";
import { withLock } from "../../base/lock.ts";
import type { Place } from "../listener/place.ts";
import { checkSocketPath, makeOwnDirectory } from "../listener/socket_dir.ts";
import { somebodyListens } from "../listener/sweep.ts";
import { fitName } from "../server/tool_names.ts";

const LOCK_TIMEOUT_MS = 10_000;
/** Longest part of the server's name; what it takes is missing from the names of the tools. */
const AGENT_NAME_MAX = 24;

const doors = new Map<string, Promise<Door | undefined>>();

/** The place of a turn whose server is registered in codex's config. */
export async function openRegisteredPlace(
  options: BridgeOptions,
  timing: DoorTiming,
): Promise<Place> {
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
  const door = await stableDoor(socket, directory, timing);
  if (door) return { door, serverName };
  const own = Door.fresh(runtimeDir, timing);
  return { door: own, serverName, env: { PLEXUM_MCP_SOCKET: own.socket } };
}

/** The agent's door in this process, reserved; `undefined` where another process has it. */
async function stableDoor(
  socket: string,
  directory: string,
  timing: DoorTiming,
): Promise<Door | undefined> {
  for (;;) {
    const opening = doors.get(socket) ?? openDoor(socket, directory, timing);
    doors.set(socket, opening);
    const door = await opening.catch((error) => {
      doors.delete(socket);
      throw error;
    });
    if (door?.reserve()) return door;
    if (doors.get(socket) === opening) doors.delete(socket);
    if (!door) return undefined;
  }
}

function openDoor(
  socket: string,
  directory: string,
  timing: DoorTiming,
): Promise<Door | undefined> {
  return withLock(join(directory, "lock"), LOCK_TIMEOUT_MS, async () => {
    if (await somebodyListens(socket)) return undefined;
    removeSocket(socket);
    return new Door(socket, timing, () => removeSocket(socket));
  });
}

function removeSocket(socket: string): void {
  try {
    Deno.removeSync(socket);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Where relays arrive when codex's own config names the socket once and for all, and how that entry
 * gets there.
 *
 * The socket is the same for every turn of an agent: it is named by a digest of the agent's id, in a
 * 0700 directory of ours. Turns of this process share it. Where another process has it (two hosts, one
 * agent), the turn gets a socket of its own. codex is told the turn's socket for each run. The token is never
 * in the config: codex passes it on from its environment, and it differs from turn to turn.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { errorMessage } from "../base/error_message.ts";
import { isObject } from "../base/json_object.ts";
import { withLock } from "../base/lock.ts";
import { type ProgramEnd, runProgram } from "../base/program.ts";
import type { BridgeOptions } from "./bridge.ts";
import { Listener, type ListenerTiming } from "./listener/listener.ts";
import {
  checkSocketPath,
  makeOwnDirectory,
  removeSocket,
  somebodyListens,
} from "./listener/socket_dir.ts";
import { fitName } from "./server/catalogue.ts";

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
  // Short names: the path of a socket has little room, and the state directory may need most of it.
  const directory = makeOwnDirectory(runtimeDir, "mcp");
  const socket = join(directory, shortName(agentId));
  checkSocketPath(socket);
  if (!codexConfig) return { serverName };
  const registered = await registerEntry(codexConfig, {
    name: serverName,
    command: [...executable, "mcp-host"],
    env: { PLEXUM_MCP_SOCKET: socket, PLEXUM_MCP_AGENT_ID: agentId },
  });
  if (!registered.ok) return { serverName, fault: registered.reason };
  const listener = await sharedListener(socket, directory, timing);
  // Another profile may have registered the agent of this name since, with a socket of its own.
  const used = listener ?? Listener.fresh(runtimeDir, timing);
  return { listener: used, serverName, env: { PLEXUM_MCP_SOCKET: used.socket } };
}

function shortName(agentId: string): string {
  return createHash("sha256").update(agentId).digest("hex").slice(0, 8);
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

/*
 * The relay as an entry of codex's own config.toml, by `codex mcp add`.
 *
 * The alternative to `-c` values for each run, for whoever wants the server to be seen by
 * `codex mcp list`. It writes to a file that belongs to the user, and codex reads, changes and
 * writes that file without a lock (two adds at once lost one of the two in most tries on 0.135.0,
 * 0.150.1 and 0.169.0). So registering is serialised by a lock file across processes, done once per
 * process and name, left alone where the entry is right already, and checked afterwards.
 */

/** How to run codex for this. */
export interface CodexConfig {
  /** Path of codex, native or launcher. */
  codex: string;
  /** codex's home, where config.toml is. */
  codexHome: string;
  /** The whole environment of codex. */
  env: Record<string, string>;
}

/** The entry as it should be. */
export interface Entry {
  name: string;
  command: readonly string[];
  env: Record<string, string>;
}

/** How it went; a failure is an answer, for the turn goes on without host tools. */
export type Registered = { ok: true; changed: boolean } | { ok: false; reason: string };

const COMMAND_TIMEOUT_MS = 10_000;
const CONFIG_LOCK_TIMEOUT_MS = 30_000;

const done = new Map<string, Promise<Registered>>();

/** Registers once per process and entry; after a failure the next call tries again. */
export function registerEntry(config: CodexConfig, entry: Entry): Promise<Registered> {
  const key = JSON.stringify([config.codex, config.codexHome, entry]);
  const known = done.get(key);
  if (known) return known;
  const registering = register(config, entry).catch((error): Registered => ({
    ok: false,
    reason: errorMessage(error),
  }));
  done.set(key, registering);
  registering.then((registered) => registered.ok || done.delete(key));
  return registering;
}

function register(config: CodexConfig, entry: Entry): Promise<Registered> {
  const lock = join(config.codexHome, ".plexum-mcp.lock");
  return withLock(lock, CONFIG_LOCK_TIMEOUT_MS, async () => {
    const before = await find(config, entry.name);
    if (before && sameEntry(before, entry)) return { ok: true, changed: false };
    if (before) await run(config, ["mcp", "remove", entry.name]);
    const env = Object.entries(entry.env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    await run(config, ["mcp", "add", ...env, entry.name, "--", ...entry.command]);
    const after = await find(config, entry.name);
    if (after && sameEntry(after, entry)) return { ok: true, changed: true };
    const seen = after ? "is not as it was added" : "is not there";
    return { ok: false, reason: `codex mcp add ${entry.name} ended well, but the entry ${seen}` };
  });
}

/** What `codex mcp get` tells about the entry; undefined where there is none. */
async function find(config: CodexConfig, name: string): Promise<unknown> {
  const { code, stdout } = await start(config, ["mcp", "get", name, "--json"]);
  if (code !== 0) return undefined;
  try {
    const found: unknown = JSON.parse(stdout);
    return isObject(found) ? found.transport : undefined;
  } catch {
    throw new Error(
      `codex mcp get ${name} --json wrote something other than JSON: ${stdout.slice(0, 200)}`,
    );
  }
}

function sameEntry(transport: unknown, { command, env }: Entry): boolean {
  if (!isObject(transport) || transport.type !== "stdio") return false;
  if (!Array.isArray(transport.args) || transport.args.length !== command.length - 1) return false;
  const found: unknown[] = [transport.command, ...transport.args];
  const variables = isObject(transport.env) ? transport.env : {};
  return command.every((word, at) => found[at] === word) &&
    Object.keys(variables).length === Object.keys(env).length &&
    Object.entries(env).every(([name, value]) => variables[name] === value);
}

async function run(config: CodexConfig, args: string[]): Promise<void> {
  const { code, stderr } = await start(config, args);
  if (code === 0) return;
  const what = args.slice(0, 2).join(" ");
  throw new Error(`codex ${what} failed with exit ${code}: ${stderr.trim().slice(-500)}`);
}

async function start(config: CodexConfig, args: string[]): Promise<ProgramEnd> {
  try {
    return await runProgram(config.codex, args, {
      env: { ...config.env, CODEX_HOME: config.codexHome },
      timeMs: COMMAND_TIMEOUT_MS,
    });
  } catch (error) {
    const what = args.slice(0, 2).join(" ");
    throw new Error(`codex ${what}: ${errorMessage(error)}`, { cause: error });
  }
}

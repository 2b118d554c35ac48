/**
 * The relay as an entry of codex's own config.toml, by `codex mcp add`.
 *
 * The alternative to `-c` values for each run, for whoever wants the server to be seen by
 * `codex mcp list`. It writes to a file that belongs to the user, and codex reads, changes and
 * writes that file without a lock (two adds at once lost one of the two in most tries on 0.135.0,
 * 0.150.1 and 0.169.0). So registering is serialised by a lock file across processes, done once per
 * process and name, left alone where the entry is right already, and checked afterwards.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { join } from "@std/path";
import { withLock } from "../../base/lock.ts";
import { type ProgramEnd, runProgram } from "../../base/program.ts";
import { isObject } from "../../base/json_object.ts";

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
const LOCK_TIMEOUT_MS = 30_000;

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
  return withLock(lock, LOCK_TIMEOUT_MS, async () => {
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

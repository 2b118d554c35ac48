/**
 * Switches the MCP servers of the user's own config.toml off for one run (`user_mcp_servers:
 * "disable"`). Their names come from codex itself, once per state of that file.
 *
 * @module
 */
import * as z from "zod/mini";
import { clip, errorMessage } from "../../base/error_message.ts";
import { stampOf } from "../../base/files.ts";
import { runProgram, type Variables } from "../../base/program.ts";
import { SharedWork } from "../../base/timer.ts";
import { toml } from "../../base/toml.ts";
import { classifyFailure } from "../failure/failure.ts";
import { TurnError } from "../turn_event.ts";
import { codexHome } from "./environment.ts";

/** How long `codex mcp list` may take; it answers in 30 ms. */
const TIMEOUT_MS = 10_000;

const Servers = z.array(z.looseObject({ name: z.string() }));
/** By codex and by the state of its configuration; only the last one is kept. */
let known: { key: string; names: SharedWork<string[]> } | undefined;

/**
 * Values for `-c`, one per configured server.
 * @throws {TurnError} when codex does not list them: a turn that began all the same would run servers
 * that it was told not to. The reason of `signal` when it aborts before.
 */
export async function userServerConfig(
  codex: string,
  env: Variables,
  cwd: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const config = `${codexHome(env)}/config.toml`;
  const key = [codex, config].map((path) => `${path}\0${stampOf(path)}`).join("\0");
  if (known?.key !== key || known.names.givenUp) {
    known = { key, names: new SharedWork((signal) => listServers(codex, env, cwd, signal)) };
  }
  const asked = known;
  try {
    const names = await asked.names.wait(signal);
    return names.map((name) => `mcp_servers.${toml.key(name)}.enabled=false`);
  } catch (error) {
    // A failure is not remembered: the next turn may find it mended.
    if (!signal?.aborted && known === asked) known = undefined;
    throw error;
  }
}

async function listServers(
  codex: string,
  env: Variables,
  cwd: string,
  stop: AbortSignal,
): Promise<string[]> {
  let trouble: string;
  try {
    const { code, signal, stdout, stderr } = await runProgram(codex, ["mcp", "list", "--json"], {
      env,
      cwd,
      timeMs: TIMEOUT_MS,
      signal: stop,
    });
    // Whatever codex minds there, a broken config.toml say, it would mind in the turn, too.
    if (code !== 0) throw new TurnError(classifyFailure({ stderr, exitCode: code, signal }));
    const parsed = z.safeParse(Servers, parseJson(stdout));
    if (parsed.success) return parsed.data.map(({ name }) => name);
    trouble = `it said ${JSON.stringify(stdout.slice(0, 200))}`;
  } catch (error) {
    if (error instanceof TurnError) throw error;
    trouble = errorMessage(error);
  }
  throw new TurnError({
    kind: "internal",
    message: clip(
      `codex: cannot switch off the user's MCP servers, because codex mcp list failed: ${trouble}`,
    ),
    retryable: true,
    hint: 'Try `codex mcp list --json`, or set `user_mcp_servers` to "keep" in config.json.',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Switches the MCP servers of the user's own config.toml off for one run (`user_mcp_servers:
 * "disable"`). Their names come from codex itself, once per state of that file.
 *
 * @module
 */
import * as z from "zod/mini";
import { toml } from "../../base/toml.ts";
import { codexHome } from "./environment.ts";
import type { Variables } from "../../base/variables.ts";

const Servers = z.array(z.looseObject({ name: z.string() }));
const known = new Map<string, string[]>();

/** Values for `-c`, one per configured server. A codex that cannot list them disables none. */
export async function userServerConfig(
  codex: string,
  env: Variables,
  cwd: string,
): Promise<string[]> {
  const key = `${codex}\0${stamp(`${codexHome(env)}/config.toml`)}`;
  let names = known.get(key);
  if (names === undefined) {
    const { stdout } = await new Deno.Command(codex, {
      args: ["mcp", "list", "--json"],
      env,
      clearEnv: true,
      cwd,
      stdin: "null",
      stderr: "null",
    }).output();
    const parsed = z.safeParse(Servers, parseJson(new TextDecoder().decode(stdout)));
    if (!parsed.success) return [];
    names = parsed.data.map(({ name }) => name);
    known.clear();
    known.set(key, names);
  }
  return names.map((name) => `mcp_servers.${toml.key(name)}.enabled=false`);
}

function stamp(path: string): string {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return `${path}\0${mtime?.getTime()}\0${size}\0${ino}`;
  } catch {
    return `${path}\0missing`;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

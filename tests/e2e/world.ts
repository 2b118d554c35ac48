/** One host, one plugin, one real codex of a version: what the tests of whole turns share. */
import { type Host, startHost } from "../support/host.ts";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "../support/sandbox.ts";

/** Every version that the suite runs on. */
export const VERSIONS = [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX];

/** A started plugin in a sandbox. */
export interface World extends AsyncDisposable {
  sandbox: Sandbox;
  host: Host;
}

/** Opens a sandbox with that codex and starts a host in it. */
export async function openWorld(
  version: string,
  options: Omit<SandboxOptions, "binary"> = {},
): Promise<World> {
  const { native } = await codexBinary(version);
  const sandbox = await openSandbox({ binary: native, ...options });
  try {
    const host = await startHost({ env: sandbox.env });
    await host.initialize();
    return {
      sandbox,
      host,
      async [Symbol.asyncDispose]() {
        try {
          await host[Symbol.asyncDispose]();
        } finally {
          await sandbox[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** Params of a turn that asks `text`. */
export function asks(
  workspace: string,
  text: string,
  request: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    model: "codex",
    agent: { agent_id: "cx", workspace },
    session_id: "s_1",
    request: { messages: [{ role: "user", content: [{ type: "text", text }] }], ...request },
  };
}

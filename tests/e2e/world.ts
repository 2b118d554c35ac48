/** One host, one plugin, one real codex of a version: what the tests of whole turns share. */
import { MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { Lab } from "../support/lab.ts";
import type { SandboxOptions } from "../support/sandbox.ts";

/** Every version that the suite runs on. */
export const VERSIONS = [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX];

/** What a whole turn is played in. */
export type World = Lab;

/** Opens it with that codex. */
export function openWorld(
  version: string,
  options: Omit<SandboxOptions, "binary"> = {},
): Promise<Lab> {
  return Lab.open(version, options);
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

/** One host, one plugin, one real codex of a version: what the tests of whole turns share. */
import { strict as assert } from "node:assert";
import { play, type Scenario } from "../../scripts/proof/matrix/run.ts";
import {
  codexBinary,
  MIDDLE_CODEX,
  NEWEST_CODEX,
  OLDEST_CODEX,
  STAYING_CODEX,
} from "../support/codex.ts";
import type { ErrorBody } from "../../plugin/protocol.ts";
import { Lab, type LabOptions, type Transport } from "../support/lab.ts";
export { strangers } from "../support/lab.ts";
import { RpcError } from "../support/rpc_error.ts";
import type { Turn } from "../support/turn.ts";
import { skipped } from "../support/skipped.ts";

/** Every version that the suite runs on. */
export const VERSIONS = [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX];
skipped(STAYING_CODEX.length === 0, "a codex that stays between turns: there is no prlimit here");
const STAYS = " that stays";
/** Versions that can stay between turns, and do. */
export const STAYING = STAYING_CODEX.map((version) => version + STAYS);
/** Every version that the suite runs on, in every way in which it is run. */
export const EVERY_WAY = [...VERSIONS, ...STAYING];

/** What has to be configured for an entry of {@link EVERY_WAY}. */
export async function configOf(
  way: string,
): Promise<{
  version: string;
  binary: string;
  config: { transport: Transport; warm?: { spare: boolean } };
}> {
  const stays = way.endsWith(STAYS);
  const version = stays ? way.slice(0, -STAYS.length) : way;
  const { native } = await codexBinary(version);
  return {
    version,
    binary: native,
    config: stays ? { transport: "app-server", warm: { spare: false } } : { transport: "exec" },
  };
}

/** What a whole turn is played in. */
export type World = Lab;

/** Opens it with that codex, run in that way. */
export async function openWorld(
  way: string,
  options: Omit<LabOptions, "transport"> = {},
): Promise<Lab> {
  const { version, config } = await configOf(way);
  return await Lab.open(version, { ...options, config: { ...config, ...options.config } });
}

/** Plays a scenario of the matrix, or what is promised instead, with that codex, run in that way. */
export async function plays(scenario: Scenario, way: string): Promise<void> {
  const { version, config } = await configOf(way);
  const cell = await play(scenario, version, config.transport);
  if (cell.verdict === "fail") assert.fail(cell.reason);
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

/** The error that a turn was refused with, before its first event. */
export async function refusalOf(turn: Turn): Promise<ErrorBody> {
  const refusal: unknown = await turn.result.catch((error: unknown) => error);
  assert.ok(refusal instanceof RpcError, turn.story());
  assert.deepEqual(turn.seen, []);
  return refusal.data as ErrorBody; // its shape was looked at by the host
}

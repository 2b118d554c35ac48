/**
 * One cell of the matrix: a scenario played with a version of codex.
 *
 * @module
 */
import { knownLimit } from "./known_limits.ts";
import type { Cell, Scenario, Transport } from "./scenario.ts";
import { Stage } from "./stage.ts";

/** Plays it, or what is promised instead where codex cannot. Never rejects: a failure is a cell. */
export async function play(
  scenario: Scenario,
  version: string,
  transport: Transport = "exec",
): Promise<Cell> {
  const limit = knownLimit(scenario.name, version, transport);
  try {
    await using stage = await Stage.set(version, transport, scenario.stage);
    await (limit?.instead ?? scenario.play)(stage);
    return limit === undefined ? { verdict: "pass" } : { verdict: "limit", id: limit.id };
  } catch (error) {
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    return { verdict: "fail", reason };
  }
}

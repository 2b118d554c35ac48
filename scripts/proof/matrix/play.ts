/**
 * One cell of the matrix: a scenario played with a version of codex.
 *
 * @module
 */
import { knownLimit } from "./known_limits.ts";
import type { Cell, Scenario } from "./scenario.ts";
import type { Transport } from "../../../tests/support/lab.ts";
import { Lab } from "../../../tests/support/lab.ts";

/** Plays it, or what is promised instead where codex cannot. Never rejects: a failure is a cell. */
export async function play(
  scenario: Scenario,
  version: string,
  transport: Transport = "exec",
): Promise<Cell> {
  const limit = knownLimit(scenario.name, version, transport);
  try {
    await using lab = await Lab.open(version, { ...scenario.lab, transport });
    await (limit?.instead ?? scenario.play)(lab);
    return limit === undefined ? { verdict: "pass" } : { verdict: "limit", id: limit.id };
  } catch (error) {
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    return { verdict: "fail", reason };
  }
}

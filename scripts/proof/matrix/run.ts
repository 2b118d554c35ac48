/**
 * What a scenario is: something the plugin promises a host, played with a real codex against the scripted
 * model, with assertions on the host's events and on what reached the model. And how the cells of a matrix
 * are played, some at a time.
 */
import { compareVersions } from "../../../runner/codex/capabilities.ts";
import { APP_SERVER_CODEX } from "../../../tests/support/codex.ts";
import { knownLimit } from "./known_limits.ts";
import { Lab, type LabOptions, type Transport } from "../../../tests/support/lab.ts";
import type { Cells } from "./table.ts";

/** Plays something in a lab; throws when what was promised did not happen. */
export type Play = (lab: Lab) => Promise<void>;

/** One row of the matrix. */
export interface Scenario {
  /** As it is written after `--scenarios`. */
  name: string;
  /** What a pass means, in one line. */
  promise: string;
  play: Play;
  /** What its lab needs beside codex. */
  lab?: LabOptions;
  /** Why it cannot be played on this machine, if it cannot. */
  missing?: () => string | undefined;
}

/** What came of a scenario on a version. */
export type Cell =
  | { verdict: "pass" }
  /** codex cannot; what the plugin promises instead was seen. */
  | { verdict: "limit"; id: string }
  /** This machine cannot. */
  | { verdict: "skip"; reason: string }
  | { verdict: "fail"; reason: string };

/** Every way of running codex. */
export const TRANSPORTS: readonly Transport[] = ["exec", "app-server"];

/**
 * Plays every scenario with every version, version by version, as many cells at a time as there are
 * processors, up to four; `onCell` is told of each as it is done.
 */
export async function playAll(
  scenarios: readonly Scenario[],
  versions: readonly string[],
  transport: Transport,
  onCell: (scenario: Scenario, version: string, cell: Cell) => void,
): Promise<Cells> {
  const cells: Cells = new Map(scenarios.map(({ name }) => [name, new Map()]));
  const able = versions.filter((version) =>
    transport === "exec" || compareVersions(version, APP_SERVER_CODEX) >= 0
  );
  const queue = able.flatMap((version) => scenarios.map((scenario) => ({ scenario, version })));
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const cell = await play(next.scenario, next.version, transport);
      cells.get(next.scenario.name)?.set(next.version, cell);
      onCell(next.scenario, next.version, cell);
    }
  };
  const atOnce = Math.min(4, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: atOnce }, work));
  return cells;
}

/** Plays it, or what is promised instead where codex cannot. Never rejects: a failure is a cell. */
export async function play(
  scenario: Scenario,
  version: string,
  transport: Transport = "exec",
): Promise<Cell> {
  const missing = scenario.missing?.();
  if (missing !== undefined) return { verdict: "skip", reason: missing };
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

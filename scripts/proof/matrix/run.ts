/**
 * Plays the cells of a matrix, some at a time.
 *
 * @module
 */
import { play } from "./play.ts";
import type { Cell, Scenario } from "./scenario.ts";
import type { Cells } from "./table.ts";

/**
 * Plays every scenario with every version, version by version, `atOnce` cells at a time; `onCell` is
 * told of each as it is done.
 */
export async function playAll(
  scenarios: readonly Scenario[],
  versions: readonly string[],
  atOnce: number,
  onCell: (scenario: Scenario, version: string, cell: Cell) => void,
): Promise<Cells> {
  const cells: Cells = new Map(scenarios.map(({ name }) => [name, new Map()]));
  const queue = versions.flatMap((version) => scenarios.map((scenario) => ({ scenario, version })));
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const cell = await play(next.scenario, next.version);
      cells.get(next.scenario.name)?.set(next.version, cell);
      onCell(next.scenario, next.version, cell);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return cells;
}

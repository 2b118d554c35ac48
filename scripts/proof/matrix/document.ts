/**
 * docs/compatibility.md: what the matrix writes into it, between its marks.
 */
import { join } from "@std/path";
import { ROOT } from "../../project.ts";
import type { Transport } from "../../../tests/support/lab.ts";
import { SCENARIOS } from "./scenarios.ts";
import { type Cells, cellTable, limitList, promiseTable } from "./table.ts";

/** The page. */
export const COMPATIBILITY: string = join(ROOT, "docs", "compatibility.md");

/** Writes the table, with when and where it was made. */
export async function writeCells(
  all: ReadonlyMap<Transport, Cells>,
  versions: readonly string[],
  latest: string,
): Promise<void> {
  const text = [
    `${new Date().toISOString().slice(0, 10)}, ${machine()}, Deno ${Deno.version.deno}; ` +
    `\`latest\` on npm was ${latest}.`,
    ...[...all].flatMap(([transport, cells]) => [
      `### Over \`${transport}\``,
      cellTable(
        cells,
        SCENARIOS,
        versions.filter((version) => [...cells.values()].some((row) => row.has(version))),
      ),
    ]),
    "### Known limits",
    limitList([...all.values()]),
    "### What the scenarios are",
    promiseTable(SCENARIOS),
  ].join("\n\n");
  const page = await Deno.readTextFile(COMPATIBILITY);
  await Deno.writeTextFile(COMPATIBILITY, withPart(page, "matrix", text));
}

/** The text with the part between the marks of that name replaced. Throws when it has none. */
export function withPart(page: string, name: string, part: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Cannot write ${name}: no ${begin} … ${end} there`);
  return `${page.slice(0, from)}${begin}\n\n${part}\n\n${page.slice(to)}`;
}

/** The kind of machine, without its name. */
export function machine(): string {
  const gib = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores, ${gib} GiB`;
}

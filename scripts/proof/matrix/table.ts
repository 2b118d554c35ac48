/**
 * The matrix as Markdown: the table of cells, the legend of known limits, the list of differences; and
 * docs/compatibility.md, what the matrix writes into it, between its marks.
 */
import { table } from "../../table.ts";
import type { Difference } from "../codex/shape.ts";
import { KNOWN_LIMITS, type KnownLimit } from "./known_limits.ts";
import type { Cell, Scenario } from "./run.ts";
import { join } from "@std/path";
import { ROOT } from "../../project.ts";
import type { Transport } from "../../../tests/support/lab.ts";
import { SCENARIOS } from "./scenarios.ts";

/** Scenario name → version → what came of it. */
export type Cells = Map<string, Map<string, Cell>>;

/** One row per scenario, one column per version. */
export function cellTable(
  cells: Cells,
  scenarios: readonly Scenario[],
  versions: readonly string[],
): string {
  const rows = scenarios.map(({ name }) => [
    name,
    ...versions.map((version) => mark(cells.get(name)?.get(version))),
  ]);
  return table(["", ...versions], rows);
}

/** What every scenario promises. */
export function promiseTable(scenarios: readonly Scenario[]): string {
  const rows = scenarios.map(({ name, promise }) => [name, promise]);
  return table(["scenario", "pass means"], rows);
}

/** Why a cell says a limit's name, and what is promised there instead; those of `cells` only. */
export function limitList(all: readonly Cells[]): string {
  const seen = all.flatMap((cells) => [...cells]).flatMap(([scenario, row]) =>
    [...row.values()].map((cell) => cell.verdict === "limit" ? `${scenario} ${cell.id}` : "")
  );
  const limits = KNOWN_LIMITS.filter(({ scenario, id }) => seen.includes(`${scenario} ${id}`));
  return limits.map((limit) => {
    const where = [limit.scenario, limit.transport ?? [], range(limit)].flat().join(", ");
    return `- **${limit.id}** (${where}): ${limit.reason}`;
  }).join("\n");
}

/** How many cells have that verdict. */
export function count(all: readonly Cells[], verdict: string): number {
  const cells = all.flatMap((cells) => [...cells.values()]).flatMap((row) => [...row.values()]);
  return cells.filter((cell) => cell.verdict === verdict).length;
}

/** What came and what went, one line per kind of thing; fields by the lines they belong to. */
export function differenceList(all: readonly Difference[]): string {
  if (all.length === 0) return "- nothing that the runs show";
  const groups = new Map<string, string[]>();
  const add = (group: string, one: string) => groups.set(group, [...groups.get(group) ?? [], one]);
  for (const { sign, what, of, name = "", kinds } of all) {
    const kind = what.replace(/ field$/, "");
    if (what === "fact") add(of, `${sign} \`${name}\`${kinds === undefined ? "" : ` (${kinds})`}`);
    else if (what === kind) add(`${NEWS[sign]} ${what}s`, `\`${of}\``);
    else add(`${kind} \`${of}\``, `${sign} \`${name}\`${sign === "~" ? ` (${kinds})` : ""}`);
  }
  return [...groups].map(([group, ones]) => `- ${group}: ${ones.join(", ")}`).join("\n");
}

const NEWS = { "+": "new", "-": "gone", "~": "changed" } as const;

function mark(cell: Cell | undefined): string {
  switch (cell?.verdict) {
    case "pass":
      return "✓";
    case "limit":
      return cell.id;
    case "skip":
      return "skipped";
    case "fail":
      return "✗ fail";
    case undefined:
      return "";
  }
}

function range({ since, before }: KnownLimit): string {
  if (since === undefined) return before === undefined ? "every version" : `before ${before}`;
  return before === undefined ? `from ${since}` : `from ${since} to before ${before}`;
}

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

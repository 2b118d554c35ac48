/**
 * The tables of `docs/performance.md`: each stands between two comments that name its question, and
 * is written anew from the record.
 */
import { table } from "./figure.ts";
import type { Recorded } from "./last.ts";

/** The page with its tables as the record has them. Throws for a table nobody measures. */
export function fillTables(page: string, recorded: readonly Recorded[]): string {
  return page.replace(
    /(<!-- figures: (.+?) -->\n)[^]*?(<!-- end -->)/g,
    (_, begin: string, question: string, end: string) => {
      const figures = recorded.filter((one) => one.question === question);
      const [first] = figures;
      if (first === undefined) throw new Error(`no figures are recorded for "${question}"`);
      const source = `Recorded ${first.date} on ${first.machine}; ${first.versions}.`;
      return `${begin}\n${table(figures)}\n${source}\n\n${end}`;
    },
  );
}

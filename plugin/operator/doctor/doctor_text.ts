/**
 * What the doctor found, for people: what is wrong, the worst first; what is fine only as a number.
 *
 * @module
 */
import { count } from "../cli/format.ts";
import { paintFor, type Style } from "../cli/terminal.ts";
import { oneLine } from "../cli/printable.ts";
import { padTo, widthOf, wrap } from "../cli/text.ts";
import { type Check, type Finding, GROUPS, type Status } from "./check.ts";

/** What a check came to; texts that are not there are empty. */
export interface Result extends Required<Finding>, Pick<Check, "id" | "group"> {
  /** The check that failed and because of which this one was skipped. */
  cause?: string;
}

const SIGNS: Readonly<Record<Status, [Style, string]>> = {
  fail: ["red", "FAIL"],
  warn: ["yellow", "WARN"],
  skipped: ["dim", "skip"],
  ok: ["green", "ok"],
};
const LEFT = "     ";
/** Longer details are cut, unless all is to be told. */
const DETAIL_LINES = 4;

/** The whole report. */
export function doctorText(
  results: readonly Result[],
  { verbose, width }: { verbose: boolean; width: number },
): string {
  const show = (result: Result) => resultText(result, { verbose, width });
  const parts = verbose
    ? GROUPS.flatMap((group) => {
      const of = results.filter((result) => result.group === group);
      return of.length === 0
        ? []
        : [`${paintFor(Deno.stdout)("bold", group)}\n${of.map(show).join("\n")}`];
    })
    : (["fail", "warn"] as const).flatMap((status) =>
      results.filter((result) => result.status === status).map(show)
    );
  return [...parts, wrap(tally(results, verbose), width)].join(verbose ? "\n\n" : "\n");
}

function resultText(
  { id, status, summary, detail, remedy, command }: Result,
  { verbose, width }: { verbose: boolean; width: number },
): string {
  const paint = paintFor(Deno.stdout);
  const [colour, sign] = SIGNS[status];
  const narrow = width < 60;
  const indent = " ".repeat(narrow ? 2 : 27);
  const text = (line: string, more = "") =>
    wrap(oneLine(line), width - indent.length - widthOf(more), indent + more);
  // A long path begins further left rather than being broken by the terminal.
  const placed = (line: string) =>
    `${!narrow && !line.includes(" ") && widthOf(line) > width - indent.length ? LEFT : indent}${
      paint("dim", text(line))
    }`;
  const head = `${paint(colour, padTo(sign, 4))} ${narrow ? id : padTo(id, 22)}`;
  const lines = [`${head}${narrow ? `\n${indent}` : ""}${text(summary)}`];
  const details = detail === "" || (status === "ok" && !verbose) ? [] : detail.split("\n");
  const shown = verbose ? details : details.slice(0, DETAIL_LINES);
  lines.push(...shown.map(placed));
  if (details.length > shown.length) {
    lines.push(`${indent}${paint("dim", `and ${details.length - shown.length} more (--verbose)`)}`);
  }
  if (remedy !== "" || command !== "") {
    lines.push(`${indent}${paint("bold", "→")} ${text(remedy === "" ? "Run:" : remedy, "  ")}`);
  }
  // Never broken: it is to be copied.
  if (command !== "") lines.push(`${narrow ? indent : LEFT}${command}`);
  return lines.join("\n");
}

function tally(results: readonly Result[], verbose: boolean): string {
  const number = (status: Status) => results.filter((result) => result.status === status).length;
  const fine = number("ok");
  if (fine === results.length) return `All ${results.length} checks are fine.`;
  const parts = ([["fail", "failed"], ["warn", "to know about"], ["skipped", "skipped"]] as const)
    .flatMap(([status, says]) => number(status) === 0 ? [] : [`${count(number(status))} ${says}`]);
  const hint = verbose ? "" : " (--verbose lists them)";
  return `${[...parts, `${count(fine)} fine`].join(", ")}${hint}.`;
}

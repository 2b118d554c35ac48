/**
 * The record as docs/ shows it: a table for every question, three figures for the README, and charts.
 * `deno task docs` puts them in their places.
 */
import { type Bar, barChart } from "../../chart.ts";
import { short, table } from "./figure.ts";
import type { Recorded } from "./last.ts";

/** The figures of one question, and where they come from. Throws when nobody has measured it. */
export function figureTable(recorded: readonly Recorded[], question: string): string {
  const figures = recorded.filter((one) => one.question === question);
  const [first] = figures;
  if (first === undefined) throw new Error(`no figures are recorded for "${question}"`);
  return `${table(figures)}\nRecorded ${first.date} on ${first.machine}; ${first.versions}.`;
}

/** What the README shows: the question, the figure's name, and how a user would say it. */
const IN_BRIEF: [question: string, name: string, words: string][] = [
  [
    "resumed turn",
    "bare `codex exec --json`, started by Node",
    "A turn, in units of running `codex exec` oneself",
  ],
  [
    "resumed turn with one host tool",
    "codex with a direct Node MCP server",
    "A turn with a host tool, in units of codex with a Node MCP server",
  ],
  [
    "memory of the plugin's process",
    "each of 64 turns at once",
    "Memory for each of 64 turns at once",
  ],
];

/** Three figures. */
export function inBrief(recorded: readonly Recorded[]): string {
  const rows = IN_BRIEF.map(([question, name, words]) => {
    const one = recorded.find((one) => one.question === question && one.name === name);
    if (one === undefined) throw new Error(`no figure is recorded for "${question}", "${name}"`);
    return `| ${words} | ${short(one.median)}${one.unit === "×" ? "" : ` ${one.unit}`} |`;
  });
  return ["| | |", "| --- | --- |", ...rows].join("\n");
}

/** What is drawn: one chart of bars for questions that are counted alike. */
const CHARTS: Record<string, { title: string; questions: string[] }> = {
  "turn": {
    title: "Time of a turn, in units of the other's",
    questions: [
      "first turn of a thread",
      "resumed turn",
      "first turn with one host tool",
      "resumed turn with one host tool",
    ],
  },
  "start": {
    title: "Until it answers, in units of a program of one line",
    questions: [
      "start, against a program of one line",
      "mcp-host is ready, against a program of one line",
    ],
  },
  "scan": {
    title: "Speed of reading a session, in units of the other's",
    questions: ["speed of a scan over 200 MB, in units of the other's"],
  },
};

/** The charts, by their paths in the repository. */
export function charts(recorded: readonly Recorded[]): Map<string, string> {
  return new Map(
    Object.entries(CHARTS).map(([name, { title, questions }]) => {
      const drawn = questions.flatMap((question) =>
        recorded.filter((one) => one.question === question)
      );
      return [`docs/charts/${name}.svg`, barChart({ title, unit: "" }, drawn.map(bar))];
    }),
  );

  function bar({ question, name, median: value, min: low, max: high, goal }: Recorded): Bar {
    const [about = ""] = question.split(/,? (?:against|in units)|: /);
    const label = `${about}: ${name}`.replaceAll("`", "");
    return { label, value, low, high, ...(goal === undefined ? {} : { goal }) };
  }
}

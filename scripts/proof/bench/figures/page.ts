/**
 * The last recorded figures (`scripts/proof/bench/last.json`, written by `deno task bench --record`), and
 * how docs/ shows them: a table for every question, three figures for the README, and charts.
 * `deno task docs` puts them in their places.
 */
import { type Bar, barChart } from "../../../chart.ts";
import { short, table } from "../../../table.ts";
import { type Figure, figureTable } from "./figure.ts";
import { join } from "@std/path";
import { readIfThere } from "../../../../base/files.ts";
import { ROOT } from "../../../project.ts";
import { NEWEST_CODEX } from "../../../../tests/support/codex.ts";
import { PEERS } from "../turn/contender.ts";

/** A figure with the day it was recorded, the machine it was measured on and what with. */
export interface Recorded extends Figure {
  /** YYYY-MM-DD. */
  date: string;
  machine: string;
  versions: string;
}

const PATH = join(ROOT, "scripts", "proof", "bench", "last.json");

/** What is recorded; nothing where nothing was. */
export function readLast(): Recorded[] {
  return JSON.parse(readIfThere(PATH) ?? "[]") as Recorded[];
}

/** Records figures: a question that was measured again is replaced as a whole. */
export function record(last: readonly Recorded[], now: readonly Recorded[]): Recorded[] {
  const measured = new Set(now.map(({ question }) => question));
  return [...last.filter(({ question }) => !measured.has(question)), ...now];
}

/** Writes the record; numbers with four digits, because more mean nothing. */
export function writeLast(all: readonly Recorded[]): void {
  const digits = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value;
  Deno.writeTextFileSync(PATH, JSON.stringify(all, digits, 2) + "\n");
}

/** E.g. "2 cores, Linux x86_64". */
export function machine(): string {
  const { os, arch } = Deno.build;
  const system = { linux: "Linux", darwin: "macOS" }[os as string] ?? os;
  return `${navigator.hardwareConcurrency} cores, ${system} ${arch}`;
}

/** Everything that took part. */
export async function versions(): Promise<string> {
  const node = await new Deno.Command("node", { args: ["--version"] }).output()
    .then(({ stdout }) => new TextDecoder().decode(stdout).trim().slice(1), () => "none");
  const peers = PEERS.slice(0, 2).map((peer) => peer.join(" "));
  return [`codex ${NEWEST_CODEX}`, `Deno ${Deno.version.deno}`, `Node ${node}`, ...peers].join(
    ", ",
  );
}

/** The figures of one question, and where they come from. Throws when nobody has measured it. */
export function questionTable(recorded: readonly Recorded[], question: string): string {
  const figures = recorded.filter((one) => one.question === question);
  const [first] = figures;
  if (first === undefined) throw new Error(`no figures are recorded for "${question}"`);
  return `${figureTable(figures)}\nRecorded ${first.date} on ${first.machine}; ${first.versions}.`;
}

/** What the README shows: the question, the figure's name, and how a user would say it. */
const IN_BRIEF: [question: string, name: string, words: string][] = [
  [
    "resumed turn",
    "bare `codex exec --json`, started by Node",
    "A turn by `codex exec`, against running it oneself",
  ],
  [
    "resumed turn with one host tool",
    "codex with a direct Node MCP server",
    "A turn with a host tool, against codex with a Node MCP server",
  ],
  [
    "warm turn, codex as it is installed",
    "bare `codex exec resume`",
    "A turn by a codex that stays, against `codex exec resume`",
  ],
  [
    "memory of the plugin's process",
    "each of 64 turns at once",
    "Memory for each of 64 turns at once",
  ],
];

/** A few figures. */
export function inBrief(recorded: readonly Recorded[]): string {
  const rows = IN_BRIEF.map(([question, name, words]) => {
    const one = recorded.find((one) => one.question === question && one.name === name);
    if (one === undefined) throw new Error(`no figure is recorded for "${question}", "${name}"`);
    return [words, `${short(one.median)} ${one.unit}`];
  });
  return table(["", ""], rows);
}

/** What is drawn: each chart with its questions, and how these are called in front of the names. */
const CHARTS: Record<string, { title: string; questions: Record<string, string> }> = {
  "turn": {
    title: "Time of a turn, in units of the other's",
    questions: {
      "first turn of a thread": "first: ",
      "resumed turn": "resumed: ",
      "first turn with one host tool": "first, with a tool: ",
      "resumed turn with one host tool": "resumed, with a tool: ",
    },
  },
  "start": {
    title: "Until it answers, in units of a program of one line",
    questions: {
      "start, against a program of one line": "plugin: ",
      "mcp-host is ready, against a program of one line": "mcp-host: ",
    },
  },
  "scan": {
    title: "Speed of reading a session, in units of the other's",
    questions: { "speed of a scan over 200 MB, in units of the other's": "" },
  },
};

/** The charts, by their paths in the repository. */
export function charts(recorded: readonly Recorded[]): Map<string, string> {
  return new Map(
    Object.entries(CHARTS).map(([name, { title, questions }]) => {
      const bars = Object.entries(questions).flatMap(([question, prefix]) =>
        recorded.filter((one) => one.question === question && !isAside(one))
          .map((one) => bar(one, prefix))
      );
      return [`docs/charts/${name}.svg`, barChart({ title, unit: "" }, bars)];
    }),
  );
}

/** Rows that only explain another one. */
function isAside({ name }: Recorded): boolean {
  return name.includes(", until ");
}

function bar({ name, median: value, min: low, max: high, goal }: Recorded, prefix: string): Bar {
  const label = prefix + name.replaceAll("`", "");
  return { label, value, low, high, ...(goal === undefined ? {} : { goal }) };
}

/** What became of the turns that were shot at, and the table of it. */

/** Who is killed; nobody, where the plugin only starts once more. */
export type Victim = "plugin" | "codex" | "mcp-host" | "nobody";

/** One shot and what it left. */
export interface Outcome {
  codex: string;
  victim: Victim;
  /** False where the victim was not there (yet, or any more). */
  hit: boolean;
  /** Turns that were under way. */
  turns: number;
  /** How a turn ended for the host: a stop reason, an error's kind, `gone` with the plugin. */
  ends: string[];
  /** What must be empty afterwards. */
  orphans: string[];
  sockets: string[];
  torn: string[];
  /** Threads that did not go on although codex had recorded something, or forgot a whole turn. */
  lost: string[];
  /** The next turn in a workspace did not end well. */
  broken: string[];
}

/** Nothing has happened yet. */
export function emptyOutcome(codex: string, victim: Victim): Outcome {
  return {
    ...{ codex, victim, hit: false, turns: 0, ends: [] },
    ...{ orphans: [], sockets: [], torn: [], lost: [], broken: [] },
  };
}

/** Markdown, one row for each codex and victim. */
export function killTable(outcomes: readonly Outcome[]): string {
  const groups = Map.groupBy(outcomes, ({ codex, victim }) => `${codex} | ${victim}`);
  const rows = [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([name, all]) => row(name, all));
  return [
    "| codex | killed | shots | hits | turns | how they ended | orphans | stale sockets | torn state | lost | next turn failed |",
    "|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|",
    ...rows,
    row("all | ", outcomes),
  ].join("\n");
}

/** Whether anything was left that must not be. */
export function isClean({ orphans, sockets, torn, lost, broken }: Outcome): boolean {
  return [orphans, sockets, torn, lost, broken].every((left) => left.length === 0);
}

function row(name: string, all: readonly Outcome[]): string {
  const sum = (count: (one: Outcome) => number): number =>
    all.reduce((total, one) => total + count(one), 0);
  const ends = Map.groupBy(all.flatMap(({ ends }) => ends), (end) => end);
  const told = [...ends].sort(([, a], [, b]) => b.length - a.length)
    .map(([end, each]) => `${end} ${each.length}`).join(", ");
  return `| ${
    [
      name,
      all.length,
      sum(({ hit }) => hit ? 1 : 0),
      sum(({ turns }) => turns),
      told,
      sum(({ orphans }) => orphans.length),
      sum(({ sockets }) => sockets.length),
      sum(({ torn }) => torn.length),
      sum(({ lost }) => lost.length),
      sum(({ broken }) => broken.length),
    ].join(" | ")
  } |`;
}

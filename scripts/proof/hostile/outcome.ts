/** What became of one cancelled turn, and many of them as a table. */

export interface Outcome {
  /** The kind's name. */
  kind: string;
  /** From the cancel to `message_end`, in ms; undefined when the turn ended before. */
  ms: number | undefined;
  /** Processes of the turn that lived after `message_end`, in words. */
  orphans: string[];
  /** Temporary files and directories that were left. */
  files: number;
  /** Whether the next turn resumed the thread and ended well. */
  goesOn: boolean;
}

/** Medians and maxima per kind, in Markdown. */
export function hostileTable(outcomes: readonly Outcome[]): string {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  const rows = [...kinds, "all"].map((kind) => {
    const of = outcomes.filter((one) => kind === "all" || one.kind === kind);
    const times = of.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b);
    const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
    const cells = [
      kind,
      of.length,
      of.reduce((sum, { orphans }) => sum + orphans.length, 0),
      of.reduce((sum, { files }) => sum + files, 0),
      of.filter(({ goesOn }) => !goesOn).length,
      `${at(0.5)} / ${at(0.95)} / ${at(1)}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| turns | cancels | orphans | files left | threads lost | cancel → message_end, ms (p50 / p95 / max) |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

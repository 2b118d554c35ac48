/**
 * From the record to the reader: the tables of docs/performance.md, and its charts.
 */
import { join } from "@std/path";
import { barChart } from "../../chart.ts";
import { ROOT } from "../../project.ts";
import type { Recorded } from "./last.ts";
import { fillTables } from "./page.ts";

/** Which questions are drawn, each as one chart. */
const CHARTS: Record<string, { title: string; questions: string[] }> = {
  "turn.svg": {
    title: "Time of a turn, in units of the other's",
    questions: ["first turn of a thread", "resumed turn", "first turn with one host tool"],
  },
  "latency.svg": {
    title: "From codex's line to the host's event: added by the plugin",
    questions: ["from codex's line to the host's event, added to reading the pipe"],
  },
};

/** Writes page and charts. */
export async function publish(recorded: readonly Recorded[]): Promise<void> {
  const page = join(ROOT, "docs", "performance.md");
  Deno.writeTextFileSync(page, fillTables(Deno.readTextFileSync(page), recorded));
  const folder = join(ROOT, "docs", "charts");
  Deno.mkdirSync(folder, { recursive: true });
  for (const [name, { title, questions }] of Object.entries(CHARTS)) {
    const drawn = recorded.filter(({ question }) => questions.includes(question));
    if (drawn.length === 0) continue;
    const bars = drawn.map(({ question, name, median: value, min: low, max: high, goal }) => ({
      label: (questions.length > 1 ? `${question}: ${name}` : name).replaceAll("`", ""),
      ...{ value, low, high },
      ...(goal === undefined ? {} : { goal }),
    }));
    const unit = drawn[0]?.unit === "×" ? "" : drawn[0]?.unit ?? "";
    Deno.writeTextFileSync(join(folder, name), barChart({ title, unit }, bars));
  }
  const format = { args: ["fmt", "--quiet", page], cwd: ROOT };
  await new Deno.Command(Deno.execPath(), format).output();
}

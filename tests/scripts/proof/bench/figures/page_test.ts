import { strict as assert } from "node:assert";
import { figure } from "../../../../../scripts/proof/bench/figures/figure.ts";
import {
  charts,
  inBrief,
  questionTable,
  record,
  type Recorded,
} from "../../../../../scripts/proof/bench/figures/page.ts";

const of = (question: string, name: string, value: number): Recorded => ({
  ...figure({ question, name, values: [value], unit: name.startsWith("each") ? "MiB" : "×" }),
  ...{ date: "2026-01-02", machine: "2 cores, Linux", versions: "codex 0.169.0" },
});
const all = [
  of("resumed turn", "bare `codex exec --json`, started by Node", 1.03),
  of("resumed turn", "bare `codex exec --json`, started by Node, until it has read it", 1.2),
  of("resumed turn with one host tool", "codex with a direct Node MCP server", 0.6),
  of("warm turn, codex as it is installed", "bare `codex exec resume`", 0.3),
  of("memory of the plugin's process", "each of 64 turns at once", 0.5),
];

Deno.test("a table has the figures of its question alone, and says where they come from", () => {
  const text = questionTable(all, "resumed turn");
  assert.ok(text.includes("1.03") && text.includes("1.20") && !text.includes("0.60"), text);
  assert.match(text, /^Recorded 2026-01-02 on 2 cores, Linux; codex 0\.169\.0\.$/m);
  assert.throws(
    () => questionTable(all, "nobody asked"),
    /no figures are recorded for "nobody asked"/,
  );
});

Deno.test("in brief there are four figures; one that is missing is named", () => {
  assert.match(
    inBrief(all),
    /running it oneself +\| 1\.03 × +\|\n.*server +\| 0\.60 × +\|\n.*resume` +\| 0\.30 × +\|\n.*\| 0\.50 MiB \|$/,
  );
  assert.throws(() => inBrief(all.slice(0, 2)), /no figure is recorded for "resumed turn with one/);
});

Deno.test("a chart has a bar for each figure, but for those that only explain another one", () => {
  const svg = charts(all).get("docs/charts/turn.svg") ?? "";
  assert.equal(svg.match(/<rect class="bar/g)?.length, 2);
  assert.match(svg, />resumed, with a tool: codex with a direct Node MCP server</);
});

Deno.test("recording a question again replaces all of its figures, and leaves the others", () => {
  const now = [of("resumed turn", "another", 2)];
  assert.deepEqual(record(all, now), [...all.slice(2), ...now]);
});

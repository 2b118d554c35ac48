/**
 * The two pictures of a thread's page: how the context grew, and what the calls hold. Both have a scale of
 * tokens, and as many columns as fit, so that the newest are always in sight.
 *
 * @module
 */
import {
  type CallReport,
  freedTokensOf,
  tokensOf,
  type TurnReport,
} from "../../../../rollout/report/thread_report.ts";
import { count } from "../../cli/format.ts";
import { type Markup, markup, type Piece } from "./page_html.ts";
import { stateOf } from "./page_turns.ts";

/** More columns are too thin to be seen on a phone. */
const COLUMNS = 120;

/** A column: parts from the bottom up, in tokens, each with its class of the style sheet. */
interface Column {
  parts: readonly (readonly [kind: string, tokens: number])[];
  says: string;
}

/** The size of each turn's last request. */
export function contextChart(turns: readonly TurnReport[]): Piece {
  const known = turns.filter(({ contextTokens = 0 }) => contextTokens > 0);
  if (known.length < 2) return undefined;
  const columns = grouped(turns).map((group): Column => {
    const tokens = group.reduce((most, { contextTokens = 0 }) => Math.max(most, contextTokens), 0);
    const cut = group.some(({ compacted }) => compacted);
    const [first, last] = [group[0]?.number ?? 0, group.at(-1)?.number ?? 0];
    const name = first === last ? `Turn ${first}` : `Turns ${first} to ${last}`;
    const says = `${name}: ${count(tokens)} tokens${cut ? ", compacted" : ""}`;
    return { parts: [[cut ? "cut" : "held", tokens]], says };
  });
  return markup`<h2>Tokens in the last request of each turn</h2>
${chart(columns, "Tokens per turn", "turn 1", `turn ${count(turns.length)}`)}`;
}

/** What the calls hold, oldest first. */
export function callsChart(calls: readonly CallReport[]): Piece {
  if (calls.length < 2) return undefined;
  let number = 0;
  const columns = grouped(calls).map((group): Column => {
    const sum = (kind: string) =>
      group.filter((call) => stateOf(call).kind === kind)
        .reduce((sum, call) => sum + tokensOf(call), 0);
    const freed = group.reduce((sum, call) => sum + freedTokensOf(call), 0);
    const held = sum("held") + sum("gone");
    const first = number + 1;
    number += group.length;
    const name = group.length === 1 ? group[0]?.name ?? "" : `Calls ${first} to ${number}`;
    const more = freed > 0 ? `, ${count(freed)} freed` : "";
    return {
      parts: [["held", held], ["away", sum("away")], ["gone", freed]],
      says: `${name}: about ${count(held)} tokens in context${more}`,
    };
  });
  const per = Math.ceil(calls.length / COLUMNS);
  return markup`<h2>Tokens that the calls hold, oldest first</h2>
${chart(columns, "Tokens per call", "call 1", `call ${count(calls.length)}`)}
<p class="legend">${
    LEGEND.filter(([kind]) =>
      columns.some(({ parts }) => parts.some(([k, n]) => k === kind && n > 0))
    )
      .map(([kind, says]) => markup`<span><i class="${kind}"></i>${says}</span>`)
  }${per > 1 ? markup`<span>one column is ${count(per)} calls</span>` : undefined}</p>`;
}

/** At most {@link COLUMNS} groups of neighbours. */
function grouped<T>(items: readonly T[]): T[][] {
  const per = Math.max(1, Math.ceil(items.length / COLUMNS));
  return Array.from(
    { length: Math.ceil(items.length / per) },
    (_, i) => items.slice(i * per, (i + 1) * per),
  );
}

const LEGEND = [
  ["held", "in every request"],
  ["gone", "freed by consumes"],
  ["away", "compacted away by codex"],
] as const;

function chart(columns: readonly Column[], label: string, first: string, last: string): Markup {
  const totals = columns.map(({ parts }) => parts.reduce((sum, [, tokens]) => sum + tokens, 0));
  const most = totals.reduce((most, total) => Math.max(most, total), 1);
  const step = stepFor(most);
  const top = Math.ceil(most / step) * step;
  const bars = columns.map(({ parts, says }, i) => {
    let under = 0;
    const rects = parts.filter(([, tokens]) => tokens > 0).map(([kind, tokens]) => {
      // A thin line rather than nothing.
      const height = Math.max(0.7, 100 * tokens / top);
      under += height;
      return markup`<rect class="${kind}" x="${i + 0.1}" y="${
        (100 - under).toFixed(2)
      }" width="0.8" height="${height.toFixed(2)}"/>`;
    });
    return markup`<g><title>${says}</title><rect class="hit" x="${i}" y="0" width="1" height="100"/>${rects}</g>`;
  });
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
  const width = Math.max(columns.length, 12);
  return markup`<div class="chart"><div class="scale">${
    ticks.map((tick) =>
      markup`<span style="bottom: ${(100 * tick / top).toFixed(1)}%">${short(tick)}</span>`
    )
  }</div><svg viewBox="0 0 ${width} 100" preserveAspectRatio="none" role="img" aria-label="${label}">${
    ticks.map((tick) => {
      const y = (100 - 100 * tick / top).toFixed(1);
      return markup`<line x1="0" y1="${y}" x2="${width}" y2="${y}" vector-effect="non-scaling-stroke"/>`;
    })
  }${bars}</svg></div>
<p class="ends"><span style="width: ${
    (100 * columns.length / width).toFixed(1)
  }%"><span>${first}</span><span>${last}</span></span></p>`;
}

/** A round step that makes two to four parts. */
function stepFor(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return [0.5, 1, 2, 5].map((n) => Math.max(1, n * power)).find((step) => most / step <= 4) ?? most;
}

function short(tokens: number): string {
  if (tokens < 1000) return String(tokens);
  return tokens < 1e6 ? `${tokens / 1e3}k` : `${tokens / 1e6}M`;
}

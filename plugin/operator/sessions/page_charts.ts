/**
 * The two pictures of a thread's page: what each call holds, and how the context grew.
 *
 * @module
 */
import { count, type PageCalls, stateOf } from "./page_calls.ts";
import { markup, type Piece } from "./page_html.ts";
import type { CallReport, TurnReport } from "../../../rollout/report/thread_report.ts";
import { bytesOf } from "../../../rollout/report/thread_sums.ts";
import { size } from "../cli/figures.ts";

/** All calls side by side, as wide as what they hold; each leads to its row. */
export function callStrip(calls: readonly CallReport[], { anchors }: PageCalls): Piece {
  if (calls.length === 0) return undefined;
  const blocks = calls.map((call) => {
    const { kind, label } = stateOf(call);
    const says = `${call.name}, ${size(bytesOf(call))}, ${label}`;
    const style = `flex: ${bytesOf(call)} 1 0`;
    const href = `#${anchors.get(call)}`;
    return markup`<a class="${kind}" style="${style}" href="${href}" title="${says}" aria-label="${says}"></a>`;
  });
  return markup`<h2>What the calls hold, oldest first</h2>
<div class="strip">${blocks}</div>
<p class="legend"><span><i class="held"></i>in every request</span>
<span><i class="gone"></i>consumed</span><span><i class="away"></i>compacted away by codex</span></p>`;
}

/** The size of each turn's last request. */
export function contextChart(turns: readonly TurnReport[]): Piece {
  const most = turns.reduce((most, { contextTokens = 0 }) => Math.max(most, contextTokens), 0);
  if (turns.length < 2 || most === 0) return undefined;
  const bars = turns.map(({ contextTokens = 0, compacted }, i) => {
    const height = 100 * contextTokens / most;
    const says = `Turn ${i + 1}: ${count(contextTokens)} tokens${compacted ? ", compacted" : ""}`;
    const kind = compacted ? "cut" : "";
    return markup`<rect class="${kind}" x="${i + 0.2}" y="${
      100 - height
    }" width="0.6" height="${height}"><title>${says}</title></rect>`;
  });
  const box = `0 0 ${turns.length} 100`;
  return markup`<h2>Tokens in the last request of each turn, up to ${count(most)}</h2>
<svg class="chart" viewBox="${box}" preserveAspectRatio="none" role="img" aria-label="Tokens per turn">
${bars}<line x1="0" y1="100" x2="${turns.length}" y2="100" vector-effect="non-scaling-stroke"/></svg>
<p class="chartlabels"><span>turn 1</span><span>turn ${turns.length}</span></p>`;
}

/**
 * The parts of a thread's page that are about calls and turns.
 *
 * @module
 */
import { type Markup, markup, type Piece } from "./page_html.ts";
import { timeOf } from "./sessions_text.ts";
import { clipTo } from "../cli/terminal.ts";
import type { CallReport, TurnReport } from "../../../rollout/report/thread_report.ts";
import { bytesOf } from "../../../rollout/report/thread_sums.ts";
import { gist, size } from "../cli/figures.ts";

/** What the rows of a page have in common. */
export interface PageCalls {
  /** The anchor of each call; the ids that the model chose are not used for that. */
  anchors: ReadonlyMap<CallReport, string>;
  /** What the largest call holds, in bytes. */
  most: number;
  /** How much of a call's arguments and of its output is shown, in characters. */
  preview: number;
}

/** One turn with its calls. */
export function turnCard(turn: TurnReport, page: PageCalls): Markup {
  const { number, startedAt, status, prompt, calls, contextTokens, compacted } = turn;
  const tone = status === "failed" ? "bad" : "warn";
  const chip = status === "complete"
    ? undefined
    : markup`<span class="chip ${tone}">${status}</span>`;
  const tokens = contextTokens === undefined ? undefined : `${count(contextTokens)} tokens`;
  const time = startedAt === "" ? "" : timeOf(startedAt);
  return markup`<section class="turn">
<header><b>Turn ${number}</b><time datetime="${startedAt}">${time}</time>${chip}
<span class="right">${tokens}</span></header>
${when(prompt !== "", () => markup`<p class="prompt">${prompt}</p>`)}
${when(calls.length > 0, () => callRows(calls, page))}
${when(compacted, () => markup`<p class="cut">codex compacted the conversation in this turn</p>`)}
</section>
`;
}

/** A piece of the page, or nothing. */
export function when(condition: boolean, piece: () => Piece): Piece {
  return condition ? piece() : undefined;
}

/** What became of a call, as a class of the style sheet and in words. */
export function stateOf(call: CallReport): { kind: "held" | "gone" | "away"; label: string } {
  if (call.consumed === "heavy") return { kind: "gone", label: "all consumed" };
  if (call.consumed === "light") return { kind: "gone", label: "consumed" };
  return call.inContext
    ? { kind: "held", label: "in context" }
    : { kind: "away", label: "compacted" };
}

/** A number with separators. */
export function count(n: number): string {
  return n.toLocaleString("en");
}

function callRows(calls: readonly CallReport[], page: PageCalls): Markup {
  return markup`<div class="calls">${calls.map((call) => callRow(call, page))}</div>`;
}

function callRow(call: CallReport, { anchors, most, preview }: PageCalls): Markup {
  const { kind, label } = stateOf(call);
  const bytes = bytesOf(call);
  const width = Math.max(2, 100 * bytes / most).toFixed(1);
  const failed = when(call.failed, () => markup` <span class="chip bad">failed</span>`);
  const images = call.images > 0 ? `, ${count(call.images)} images` : "";
  return markup`<details class="call" id="${anchors.get(call)}">
<summary><span class="what"><b>${call.name}</b>${failed}<span class="mono">${
    clipTo(gist(call.arguments), 120)
  }</span></span>
<span class="bar"><i class="${kind}" style="width: ${width}%"></i></span>
<span class="num">${size(bytes)}<small>≈ ${count(call.tokens)} tokens</small></span>
<span class="chip ${kind}">${label}</span></summary>
<div class="inside"><p class="mono">${call.id}</p>
<p>Arguments, ${size(call.argumentBytes)}</p><pre>${clipTo(call.arguments, preview)}</pre>
<p>Output, ${size(call.outputBytes)}${images}</p><pre>${clipTo(call.output, preview)}</pre></div>
</details>
`;
}

/**
 * The parts of a thread's page that are about calls and turns.
 *
 * @module
 */
import {
  bytesOf,
  type CallReport,
  freedTokensOf,
  savingOf,
  tokensOf,
  type TurnReport,
} from "../../../../rollout/report/thread_report.ts";
import { callSubject, count, many, size, timeOf } from "../../cli/format.ts";
import { shellWord } from "../../cli/printable.ts";
import { clipTo } from "../../cli/text.ts";
import { type Markup, markup, type Piece, when } from "./page_html.ts";

/** What the rows of a page have in common. */
export interface PageCalls {
  /** The anchor of each call; the ids that the model chose are not used for that. */
  anchors: ReadonlyMap<CallReport, string>;
  turnOf: ReadonlyMap<CallReport, TurnReport>;
  /** What the largest call takes or took, in tokens. */
  most: number;
  /** Its consume waits until codex is done with the thread. */
  isWaiting(call: CallReport): boolean;
  /** Arguments and output of a call, cut. */
  texts(call: CallReport): Pick<CallReport, "arguments" | "output">;
}

/** One turn with its calls; those in `elsewhere` have their row in another part of the page. */
export function turnCard(
  turn: TurnReport,
  elsewhere: ReadonlySet<CallReport>,
  page: PageCalls,
): Markup {
  const { number, startedAt, status, prompt, answer, calls, contextTokens, compacted } = turn;
  const tone = status === "failed" ? "bad" : "warn";
  const chip = when(
    status !== "complete",
    () => markup`<span class="chip ${tone}">${status}</span>`,
  );
  const tokens = contextTokens === undefined ? undefined : `${count(contextTokens)} tokens`;
  const time = startedAt === "" ? "" : timeOf(startedAt);
  const rows = calls.map((call) =>
    elsewhere.has(call) ? callLink(call, page) : callRow(call, page)
  );
  return markup`<section class="turn" id="turn-${number}" data-row>
<header><b>Turn ${number}</b><time datetime="${startedAt}">${time}</time>${chip}
<span class="right">${tokens}</span></header>
${said("prompt", prompt)}
${when(calls.length > 0, () => markup`<div class="calls">${rows}</div>`)}
${said("answer", answer)}
${when(compacted, () => markup`<p class="cut">codex compacted the conversation in this turn</p>`)}
</section>
`;
}

/** What became of a call, as a class of the style sheet and in words. */
export function stateOf(call: CallReport): { kind: "held" | "gone" | "away"; label: string } {
  if (call.consumed === "heavy") return { kind: "gone", label: "all consumed" };
  if (call.consumed === "light") return { kind: "gone", label: "consumed" };
  if (!call.inContext) return { kind: "away", label: "compacted" };
  return { kind: "held", label: call.tooLarge ? "too large" : "in context" };
}

/** A call as a row that unfolds to what it holds; one that stands alone is found by itself. */
export function callRow(call: CallReport, page: PageCalls, alone = false): Markup {
  const { kind, label } = stateOf(call);
  const tone = page.isWaiting(call) ? "warn" : kind;
  const tokens = tokensOf(call);
  const freed = freedTokensOf(call);
  const texts = page.texts(call);
  const failed = when(call.failed, () => markup` <span class="chip bad">failed</span>`);
  const images = call.images > 0 ? ` · ${many(call.images, "image")}` : "";
  const gone = when(
    freed > 0,
    () => markup`<p>Freed: ${size(call.freedBytes)}, at most ${count(freed)} tokens</p>`,
  );
  const turn = page.turnOf.get(call)?.number;
  return markup`<details class="call" id="${page.anchors.get(call)}" ${
    alone ? markup`data-row` : undefined
  }>
<summary>${choice(call)}<span class="what"><b>${call.name}</b>${failed}<span class="mono">${
    clipTo(callSubject(call.arguments), 120)
  }</span></span>
<span class="bar">${part(kind === "away" ? "away" : "held", tokens, page)}${
    part("gone", freed, page)
  }</span>
<span class="num">${count(tokens)} tokens<small>${
    freed > 0 ? `${size(call.freedBytes)} freed` : `${size(bytesOf(call))}${images}`
  }</small></span>
<span class="chip ${tone}">${page.isWaiting(call) ? "consume waits" : label}</span></summary>
<div class="inside"><p><span class="mono">${call.id}</span> in <a href="#turn-${turn}">turn ${turn}</a>${
    when(call.at !== "", () => `, ${timeOf(call.at)}`)
  }</p>${gone}
<p>Arguments, ${size(call.argumentBytes)}</p><pre>${texts.arguments}</pre>
<p>Output, ${size(call.outputBytes)}${images}</p><pre>${texts.output}</pre></div>
</details>
`;
}

/** To be chosen, where there is something to take out. */
function choice(call: CallReport): Piece {
  const { tokens } = savingOf(call, "consume-light");
  if (tokens <= 0) return markup`<span></span>`;
  return markup`<input type="checkbox" data-word="${
    shellWord(call.id)
  }" data-tokens="${tokens}" aria-label="choose ${call.name} ${call.id}">`;
}

function callLink(call: CallReport, { anchors }: PageCalls): Markup {
  const { kind } = stateOf(call);
  return markup`<a class="short" href="#${
    anchors.get(call)
  }"><i class="${kind}"></i><b>${call.name}</b>
<span class="mono">${clipTo(callSubject(call.arguments), 120)}</span><span class="num">${
    count(tokensOf(call))
  } tokens</span></a>
`;
}

function part(kind: string, tokens: number, { most }: PageCalls): Piece {
  if (tokens === 0) return undefined;
  const width = Math.min(100, Math.max(1, 100 * tokens / most)).toFixed(1);
  return markup`<i class="${kind}" style="width: ${width}%"></i>`;
}

/** A long prompt or answer shows its beginning. */
function said(kind: "prompt" | "answer", text: string): Piece {
  if (text === "") return undefined;
  if (text.length < 300 && text.split("\n").length < 5) {
    return markup`<p class="${kind}">${text}</p>`;
  }
  return markup`<details class="${kind}"><summary>${
    clipTo(text.replace(/\s+/g, " ").trim(), 240)
  }</summary><p>${text}</p></details>`;
}

/**
 * A thread as one page for a browser, from which somebody can decide what to consume: nothing is loaded,
 * everything is escaped, and only the page's own script runs.
 *
 * @module
 */
import {
  type CallReport,
  freedTokensOf,
  savingOf,
  sumsOf,
  type ThreadReport,
  tokensOf,
  type TurnReport,
} from "../../../rollout/report/thread_report.ts";
import { EXECUTABLE_NAME } from "../../self.ts";
import { count, many, oneLine, shellWord, size, timeOf } from "../cli/terminal.ts";
import { clipTo } from "../cli/text.ts";
import type { KnownThread } from "./known_threads.ts";
import {
  callRow,
  callsChart,
  contextChart,
  Markup,
  markup,
  type PageCalls,
  type Piece,
  stateOf,
  turnCard,
  when,
} from "./page_parts.ts";
import { SCRIPT, SCRIPT_HASH, STYLE } from "./page_style.ts";

/** No script but ours, no font, no image, whatever a tool's output tries. */
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src '${SCRIPT_HASH}'`;
/** Rows of the ranking. */
const LARGEST = 50;
/** Named in the suggestion. */
const SUGGESTED = 5;
/** What is shown of the rest: the newest turns, with so many calls and no more. */
const NEWEST_TURNS = 150;
const NEWEST_CALLS = 400;

/**
 * The page's text. `textsOf` reads what a call holds; it is asked for those that are shown.
 */
export function threadPage(
  report: ThreadReport,
  thread: KnownThread,
  textsOf: PageCalls["texts"],
): string {
  const calls = report.turns.flatMap((turn) => turn.calls);
  const reaching = calls.filter(({ inContext }) => inContext);
  const largest = reaching.toSorted((a, b) => weightOf(b) - weightOf(a)).slice(0, LARGEST);
  const page: PageCalls = {
    anchors: new Map(calls.map((call, index) => [call, `call-${index + 1}`])),
    turnOf: new Map(report.turns.flatMap((turn) => turn.calls.map((call) => [call, turn]))),
    most: reaching.reduce((most, call) => Math.max(most, weightOf(call)), 1),
    isWaiting: ({ id }) => thread.waiting.has(id),
    texts: textsOf,
  };
  const title = oneLine(report.turns[0]?.prompt ?? "") || report.threadId;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${clipTo(title, 80)}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<h1>${clipTo(title, 160)}</h1>
${about(report, thread)}
${tiles(report)}
${contextChart(report.turns)}
${callsChart(calls)}
<p class="search"><input id="search" type="search" placeholder="Search prompts, calls, outputs" aria-label="Search"><span id="found" role="status"></span><a id="total" href="#take" hidden></a></p>
${
    when(largest.length > 0, () =>
      markup`<h2>${heading(reaching.length)}</h2>
<div class="card calls">${largest.map((call) => callRow(call, page, true))}</div>`)
  }
${suggestion(report, calls)}
${turnList(report.turns, new Set(largest), page)}
<footer>Tokens of calls are estimates: bytes divided by four, a thousand for an image. Tokens of a
request are what the model counted. Texts are cut. Written by ${EXECUTABLE_NAME}.</footer>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`.text;
}

/** What a call takes of the context, and what it took before it was consumed. */
function weightOf(call: CallReport): number {
  return tokensOf(call) + freedTokensOf(call);
}

function heading(calls: number): string {
  return calls > LARGEST
    ? `The ${LARGEST} largest of ${count(calls)} calls that reach the model`
    : "The calls that reach the model, the largest first";
}

function about(report: ThreadReport, thread: KnownThread): Markup {
  const { lastUsed } = sumsOf(report);
  const { unreadable, tooLarge } = report;
  const facts = [
    thread.agentId === undefined ? "" : `agent ${thread.agentId}`,
    report.cwd,
    `codex ${report.codexVersion}`,
    `session file ${size(report.size)}`,
    lastUsed === "" ? "" : `last used ${timeOf(lastUsed)}`,
    unreadable === 0 ? "" : `${many(unreadable, "line")} not readable`,
    tooLarge.lines === 0
      ? ""
      : `${many(tooLarge.lines, "record")} too large to be read (${size(tooLarge.bytes)})`,
    thread.waiting.size === 0 ? "" : `${many(thread.waiting.size, "consume")} waiting`,
  ].filter((fact) => fact !== "");
  return markup`<p class="meta mono">${report.threadId}</p>
<p class="meta">${facts.map((fact) => markup`<span>${fact}</span>`)}</p>`;
}

function tiles(report: ThreadReport): Markup {
  const sums = sumsOf(report);
  const { contextTokens = 0, compactedCalls, consumedCalls } = sums;
  const tile = (value: string, label: string) =>
    markup`<div class="tile"><b>${value}</b><span>${label}</span></div>`;
  return markup`<div class="tiles">
${when(contextTokens > 0, () => tile(count(contextTokens), "tokens in the last request"))}
${tile(count(sums.heldTokens), `tokens held by calls, estimated (${size(sums.heldBytes)})`)}
${
    tile(
      count(sums.calls),
      sums.turns === 1 ? "calls in 1 turn" : `calls in ${count(sums.turns)} turns`,
    )
  }
${
    when(consumedCalls > 0, () =>
      tile(count(consumedCalls), `consumed, ${size(sums.freedBytes)} freed`))
  }
${when(compactedCalls > 0, () => tile(count(compactedCalls), "compacted away by codex"))}
</div>`;
}

function suggestion({ threadId }: ThreadReport, calls: readonly CallReport[]): Piece {
  const saving = (call: CallReport) => savingOf(call, "consume-light").tokens;
  const large = calls.filter((call) => stateOf(call).kind === "held" && saving(call) > 0)
    .sort((a, b) => saving(b) - saving(a)).slice(0, SUGGESTED);
  if (large.length === 0) return undefined;
  const freed = large.reduce((sum, call) => sum + saving(call), 0);
  const begin = `${EXECUTABLE_NAME} sessions consume ${threadId}`;
  const words = large.map(({ id }) => shellWord(id)).join(" ");
  const none = `${large.length === 1 ? "The largest call" : `The ${large.length} largest`}, about ${
    count(freed)
  } tokens. Tick calls to choose others.`;
  return markup`<section class="card choice" id="take"><h2>To take calls out of the context</h2>
<p class="meta" id="chosen" role="status" data-none="${none}">${none}</p>
<pre id="command" data-begin="${begin}">${begin} ${words} --dry-run</pre>
<p class="meta">It only looks; without --dry-run the outputs are gone from the context, and that cannot be undone.</p></section>`;
}

/** Newest first, and no more than a browser opens at once. */
function turnList(
  turns: readonly TurnReport[],
  largest: ReadonlySet<CallReport>,
  page: PageCalls,
): Piece {
  const shown: TurnReport[] = [];
  let calls = 0;
  for (const turn of turns.toReversed().slice(0, NEWEST_TURNS)) {
    // Of a turn with very many calls the newest are shown.
    const room = Math.max(0, NEWEST_CALLS - calls);
    if (room === 0 && turn.calls.length > 0) break;
    shown.push({ ...turn, calls: turn.calls.slice(-room) });
    calls += turn.calls.length;
  }
  const left = turns.length - shown.length;
  const cut = shown.at(-1);
  const missing = cut === undefined
    ? 0
    : (turns[turns.length - shown.length]?.calls.length ?? 0) - cut.calls.length;
  return markup`<h2>Turns, the newest first</h2>
${shown.map((turn) => turnCard(turn, largest, page))}
${
    when(missing > 0, () =>
      markup`<p class="meta">${
        count(missing)
      } older calls of turn ${cut?.number} are not on this page.</p>`)
  }
${
    when(left > 0, () =>
      markup`<p class="meta">${
        many(left, "older turn")
      } not on this page; their largest calls are above.</p>`)
  }`;
}

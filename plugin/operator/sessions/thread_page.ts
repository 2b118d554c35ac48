/**
 * A thread as one page for a browser: nothing is loaded, nothing runs, everything is escaped.
 *
 * @module
 */
import { EXECUTABLE_NAME } from "../../names.ts";
import type { KnownThread } from "./known_threads.ts";
import { count, stateOf, turnCard, when } from "./page_calls.ts";
import { callStrip, contextChart } from "./page_charts.ts";
import { Markup, markup, type Piece } from "./page_html.ts";
import { STYLE } from "./page_style.ts";
import { timeOf } from "./sessions_text.ts";
import { clipTo, oneLine } from "../cli/terminal.ts";
import type { CallReport, ThreadReport } from "../../../rollout/report/thread_report.ts";
import { bytesOf, sumsOf } from "../../../rollout/report/thread_sums.ts";
import { size } from "../cli/figures.ts";

/** No script, no font, no image, whatever a tool's output tries. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const MANY = 500;
/** Named in the suggestion. */
const LARGEST = 5;

/** The page's text. */
export function threadPage(report: ThreadReport, thread: KnownThread): string {
  const calls = report.turns.flatMap((turn) => turn.calls);
  const page = {
    anchors: new Map(calls.map((call, index) => [call, `call-${index + 1}`])),
    most: calls.reduce((most, call) => Math.max(most, bytesOf(call)), 1),
    // Thousands of calls must still make a page that a browser opens at once.
    preview: calls.length > MANY ? 200 : 1200,
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
${callStrip(calls, page)}
${contextChart(report.turns)}
<h2>Turns</h2>
${report.turns.map((turn) => turnCard(turn, page))}
${suggestion(report, calls)}
<footer>Tokens of calls are estimates: bytes divided by four, a thousand for an image. Tokens of a
request are what the model counted. Written by ${EXECUTABLE_NAME}.</footer>
</body>
</html>
`.text;
}

function about(report: ThreadReport, thread: KnownThread): Markup {
  const { lastUsed } = sumsOf(report);
  const facts = [
    thread.agentId === undefined ? "" : `agent ${thread.agentId}`,
    report.cwd,
    `codex ${report.codexVersion}`,
    `session file ${size(report.size)}`,
    lastUsed === "" ? "" : `last used ${timeOf(lastUsed)}`,
    report.unreadable === 0 ? "" : `${report.unreadable} unreadable lines`,
  ].filter((fact) => fact !== "");
  return markup`<p class="meta mono">${report.threadId}</p>
<p class="meta">${facts.map((fact) => markup`<span>${fact}</span>`)}</p>`;
}

function tiles(report: ThreadReport): Markup {
  const sums = sumsOf(report);
  const { contextTokens = 0, compactedCalls } = sums;
  const held = `held by calls, about ${count(sums.heldTokens)} tokens`;
  const tile = (value: string, label: string) =>
    markup`<div class="tile"><b>${value}</b><span>${label}</span></div>`;
  return markup`<div class="tiles">
${tile(count(sums.turns), sums.turns === 1 ? "turn" : "turns")}
${tile(count(sums.calls), sums.calls === 1 ? "tool call" : "tool calls")}
${tile(size(sums.heldBytes), held)}
${tile(count(sums.consumedCalls), "consumed")}
${when(compactedCalls > 0, () => tile(count(compactedCalls), "compacted away"))}
${when(contextTokens > 0, () => tile(count(contextTokens), "tokens in the last request"))}
</div>`;
}

function suggestion(report: ThreadReport, calls: readonly CallReport[]): Piece {
  const large = calls.filter((call) => stateOf(call).kind === "held" && call.outputBytes > 1000)
    .sort((a, b) => bytesOf(b) - bytesOf(a)).slice(0, LARGEST);
  if (large.length === 0) return undefined;
  const freed = size(large.reduce((sum, call) => sum + call.outputBytes, 0));
  const what = large.length === 1 ? "1 call" : `${large.length} calls`;
  const words = [report.threadId, ...large.map(({ id }) => shellWord(id))].join(" ");
  return markup`<h2>To take the largest out of the context</h2>
<p class="meta">${freed} in ${what}. It cannot be undone.</p>
<pre>${EXECUTABLE_NAME} sessions consume ${words}</pre>`;
}

/** Ids are the model's words: one that is pasted into a shell must stay a word there. */
function shellWord(id: string): string {
  return /^[\w.:-]+$/.test(id) ? id : `'${id.replaceAll("'", `'\\''`)}'`;
}

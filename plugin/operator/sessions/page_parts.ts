/**
 * The parts of a thread's page, as HTML values: text is escaped by being put in, markup is markup only
 * because it was made here. What a page shows came from a model, a tool or a file, and is taken to be
 * hostile.
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
} from "../../../rollout/report/thread_report.ts";
import { callSubject, count, many, printable, shellWord, size, timeOf } from "../cli/terminal.ts";
import { clipTo } from "../cli/text.ts";

/** Markup that was made by {@link markup}. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template; text is escaped, lists are joined, `undefined` is nothing. */
export type Piece = string | number | Markup | undefined | readonly Piece[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped: markup`<b>${text}</b>`. */
export function markup(strings: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(
    strings.reduce((all, part, i) => all + rendered(pieces[i - 1]) + part),
  );
}

function rendered(piece: Piece): string {
  if (piece === undefined) return "";
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "object") return piece.map(rendered).join("");
  return printable(String(piece)).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? "");
}

/** A piece of the page, or nothing. */
export function when(condition: boolean, piece: () => Piece): Piece {
  return condition ? piece() : undefined;
}

/*
 * The two pictures of a thread's page: how the context grew, and what the calls hold. Both have a scale of
 * tokens, and as many columns as fit, so that the newest are always in sight.
 */

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

/*
 * Calls and turns.
 */

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

/**
 * How the page of a thread looks, and what runs on it: one style sheet, light and dark, and one script;
 * no font or image from outside.
 */
import { createHash } from "node:crypto";

/** The style sheet. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #fbfbfa; --card: #fff; --text: #1d2126; --soft: #626b76; --line: #e3e5e8; --track: #eff1f3;
  --held: #2f6fde; --heldsoft: #dbe7fc; --gone: #2e8b57; --gonesoft: #d9f0e2; --away: #a5adb7;
  --awaysoft: #eceef0; --bad: #c43c2f; --badsoft: #fbe3e0; --warn: #9a6700; --warnsoft: #fcf0d2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #14171a; --card: #1c2024; --text: #e6e9ec; --soft: #98a2ad; --line: #2c3238;
    --track: #262b30; --held: #6ea1ff; --heldsoft: #1e3157; --gone: #5fc48c; --gonesoft: #173826;
    --away: #6d7782; --awaysoft: #2a3036; --bad: #ff8a7d; --badsoft: #4a211d; --warn: #e3b341;
    --warnsoft: #3d3013;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 66rem; background: var(--bg);
  color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .35rem; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; font-weight: 650; }
a { color: var(--held); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
.meta { color: var(--soft); margin: 0; overflow-wrap: anywhere; }
.meta span + span::before { content: " · "; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.tile, .turn, .card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.tile { padding: .75rem .9rem; }
.tile b { display: block; white-space: nowrap; font-size: 1.55rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .87rem; line-height: 1.3; display: block; }
.held { background: var(--held); fill: var(--held); }
.gone { background: var(--gone); fill: var(--gone); }
.away { background: var(--away); fill: var(--away); }
.cut { background: var(--warn); fill: var(--warn); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .4rem 0 0 2.9rem; color: var(--soft); font-size: .87rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: .2rem; margin-right: .4rem; vertical-align: -.05rem; }
.chart { position: relative; height: 8rem; padding-left: 2.9rem; margin-top: 1rem; }
.chart svg { width: 100%; height: 100%; display: block; overflow: visible; }
.chart line { stroke: var(--line); }
.chart .hit { fill: transparent; }
.chart g:hover .hit { fill: var(--track); }
.scale span { position: absolute; left: 0; width: 2.4rem; text-align: right; transform: translateY(50%); color: var(--soft); font-size: .78rem; line-height: 1; font-variant-numeric: tabular-nums; }
.ends > span { display: flex; justify-content: space-between; }
.ends { margin: .35rem 0 0 2.9rem; color: var(--soft); font-size: .8rem; line-height: 1.2; }
.search { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .35rem .75rem; align-items: center; margin: 2rem 0 0; padding: .5rem 0; background: var(--bg); }
.search input { flex: 1; min-width: 12rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .45rem .7rem; }
.search a { font-size: .87rem; }
.search span { color: var(--soft); font-size: .87rem; white-space: nowrap; }
.turn { padding: .9rem 1rem; margin: 0 0 .75rem; scroll-margin-top: 4rem; }
.turn header { display: flex; flex-wrap: wrap; gap: .15rem .75rem; align-items: baseline; }
.turn header b { font-weight: 650; } .turn header time { color: var(--soft); font-size: .87rem; }
.turn header .right { margin-left: auto; color: var(--soft); font-size: .87rem; font-variant-numeric: tabular-nums; }
.prompt, .answer { margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.answer { border-left: 3px solid var(--line); padding-left: .7rem; color: var(--soft); }
details.prompt summary, details.answer summary { cursor: pointer; white-space: normal; }
details.prompt p, details.answer p { margin: .5rem 0 0; color: var(--text); max-height: 24rem; overflow: auto; }
.calls { margin: .75rem 0 0; }
.turn .calls { border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.card.calls { padding: .25rem 1rem; }
.call { border-bottom: 1px solid var(--line); scroll-margin-top: 4rem; }
.call:last-child { border-bottom: 0; }
.call > summary { display: grid; grid-template-columns: 1rem minmax(0, 1fr) 9rem 7rem 6.6rem; gap: .75rem; align-items: center;
  padding: .42rem 0; cursor: pointer; list-style: none; }
.call > summary::-webkit-details-marker { display: none; }
.call > summary:hover .what b { color: var(--held); }
.call:target { box-shadow: inset 3px 0 var(--held); padding-left: .6rem; }
.call input { margin: 0; accent-color: var(--held); }
.what { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.what .mono { color: var(--soft); margin-left: .5rem; }
.bar { display: flex; height: .55rem; border-radius: .25rem; background: var(--track); overflow: hidden; }
.bar i { display: block; height: 100%; }
.bar .gone { opacity: .75; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.num small { display: block; color: var(--soft); font-size: .78rem; line-height: 1.1; }
.short { display: grid; grid-template-columns: .6rem auto minmax(0, 1fr) auto; gap: .6rem; align-items: baseline; padding: .3rem 0; color: inherit; border-bottom: 1px solid var(--line); }
.short:last-child { border-bottom: 0; }
.short i { width: .6rem; height: .6rem; border-radius: .2rem; }
.short .mono { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chip { justify-self: end; font-size: .78rem; line-height: 1.5; padding: 0 .5rem; border-radius: 1rem; white-space: nowrap; }
.chip.held { background: var(--heldsoft); color: var(--held); } .chip.gone { background: var(--gonesoft); color: var(--gone); }
.chip.away { background: var(--awaysoft); color: var(--soft); } .chip.bad { background: var(--badsoft); color: var(--bad); }
.chip.warn { background: var(--warnsoft); color: var(--warn); }
p.cut { margin: .75rem 0 0; background: none; color: var(--warn); font-size: .87rem; }
.inside { padding: .25rem 0 .9rem; }
.inside p { margin: .5rem 0 .2rem; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
pre { margin: 0; padding: .7rem .8rem; background: var(--track); border-radius: .45rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24rem; overflow: auto; }
.choice { padding: .9rem 1rem; margin-top: 1rem; scroll-margin-top: 4rem; }
.choice h2 { margin: 0 0 .25rem; }
.choice pre { margin: .6rem 0; white-space: pre; overflow-wrap: normal; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .82rem; }
@media (max-width: 40rem) {
  body { padding: 1.25rem .9rem 3rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .tile b { font-size: 1.3rem; }
  .call > summary { grid-template-columns: 1rem minmax(0, 1fr) auto; row-gap: .2rem; }
  .call > summary .what, .call > summary .bar { grid-column: 2 / -1; }
  .call > summary .num { grid-column: 2; text-align: left; white-space: normal; }
  .call > summary .num small { display: inline; margin-left: .4rem; }
  .turn header .right { margin-left: 0; width: 100%; }
  .chart { padding-left: 2.4rem; } .ends, .legend { margin-left: 2.4rem; } .scale span { width: 2rem; }
}
@media print { body { max-width: none; } .turn { break-inside: avoid; } .search { display: none; } }
`;

/*
 * The search, the choice of calls, and links that unfold their target.
 */

/** The script. It only reads and shows what is on the page. */
export const SCRIPT = `
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const search = document.getElementById("search");
const found = document.getElementById("found");
const texts = new Map(all("[data-row]").map((row) => [row, row.textContent.toLowerCase()]));
const filter = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const [row, text] of texts) {
    const fits = words.every((word) => text.includes(word));
    row.hidden = !fits;
    if (fits) shown++;
  }
  found.textContent = words.length === 0 ? "" : shown + " of " + texts.size;
};
search.addEventListener("input", filter);
const command = document.getElementById("command");
const suggested = command ? command.textContent : "";
const box = document.getElementById("chosen");
const total = document.getElementById("total");
const choose = () => {
  const chosen = all("input[data-word]:checked");
  const tokens = chosen.reduce((sum, input) => sum + Number(input.dataset.tokens), 0);
  const says = chosen.length === 0 ? "" : chosen.length + (chosen.length === 1 ? " call" : " calls") +
    " chosen, about " + tokens.toLocaleString("en") + " tokens";
  command.textContent = chosen.length === 0
    ? suggested
    : command.dataset.begin + " " + chosen.map((input) => input.dataset.word).join(" ") + " --dry-run";
  box.textContent = chosen.length === 0 ? box.dataset.none : says + ".";
  total.textContent = says;
  total.hidden = says === "";
};
if (command) for (const input of all("input[data-word]")) input.addEventListener("change", choose);
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.hidden) {
    search.value = "";
    filter();
    target.scrollIntoView();
  }
  if (target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", unfold);
// The link that was followed last changes nothing when it is followed again.
for (const link of all('a[href^="#"]')) link.addEventListener("click", () => setTimeout(unfold));
// A browser may bring back what was typed and ticked before.
addEventListener("pageshow", () => {
  filter();
  if (command) choose();
  unfold();
});
`;

/** For the page's policy: this script runs, and no other. */
export const SCRIPT_HASH = `sha256-${createHash("sha256").update(SCRIPT).digest("base64")}`;

/** How the page of a thread looks: one style sheet, light and dark, no font or image from outside. */

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
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 64rem; background: var(--bg);
  color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .35rem; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; font-weight: 650; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
.meta { color: var(--soft); margin: 0; overflow-wrap: anywhere; }
.meta span + span::before { content: " · "; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem .9rem; }
.tile b { display: block; white-space: nowrap; font-size: 1.55rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .87rem; }
.strip { display: flex; height: 2.25rem; gap: 1px; border-radius: .45rem; overflow: hidden; background: var(--track); }
.strip a { min-width: 2px; }
.strip a:hover, .strip a:focus { filter: brightness(1.2); outline: none; }
.held { background: var(--held); } .gone { background: var(--gone); } .away { background: var(--away); }
.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; margin: .6rem 0 0; color: var(--soft); font-size: .87rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: .2rem; margin-right: .4rem; vertical-align: -.05rem; }
.chart { width: 100%; height: 7.5rem; display: block; }
.chart rect { fill: var(--held); } .chart rect.cut { fill: var(--warn); } .chart line { stroke: var(--line); }
.chartlabels { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; }
.turn { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem; margin: 0 0 .75rem; }
.turn header { display: flex; flex-wrap: wrap; gap: .15rem .75rem; align-items: baseline; }
.turn header b { font-weight: 650; } .turn header time { color: var(--soft); font-size: .87rem; }
.turn header .right { margin-left: auto; color: var(--soft); font-size: .87rem; font-variant-numeric: tabular-nums; }
.prompt { margin: .35rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; display: -webkit-box;
  -webkit-line-clamp: 4; -webkit-box-orient: vertical; overflow: hidden; }
.calls { margin: .75rem 0 0; border-top: 1px solid var(--line); }
.call { border-bottom: 1px solid var(--line); }
.call:last-child { border-bottom: 0; }
.call summary { display: grid; grid-template-columns: minmax(0, 1fr) 7rem 7rem 6.6rem; gap: .75rem; align-items: center;
  padding: .42rem 0; cursor: pointer; list-style: none; }
.call summary::-webkit-details-marker { display: none; }
.call summary:hover .what { color: var(--held); }
.call:target { box-shadow: inset 3px 0 var(--held); padding-left: .6rem; }
.what { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.what .mono { color: var(--soft); margin-left: .5rem; }
.bar { height: .5rem; border-radius: .25rem; background: var(--track); overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: .25rem; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.num small { display: block; color: var(--soft); font-size: .78rem; line-height: 1.1; }
.chip { justify-self: end; font-size: .78rem; line-height: 1.5; padding: 0 .5rem; border-radius: 1rem; white-space: nowrap; }
.chip.held { background: var(--heldsoft); color: var(--held); } .chip.gone { background: var(--gonesoft); color: var(--gone); }
.chip.away { background: var(--awaysoft); color: var(--soft); } .chip.bad { background: var(--badsoft); color: var(--bad); }
.chip.warn { background: var(--warnsoft); color: var(--warn); }
.inside { padding: 0 0 .8rem; } .inside p { margin: .2rem 0; color: var(--soft); font-size: .87rem; overflow-wrap: anywhere; }
pre { background: var(--track); border-radius: .4rem; padding: .6rem .75rem; margin: .25rem 0 .6rem; overflow: auto; max-height: 18rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.cut { color: var(--warn); font-size: .87rem; margin: .5rem 0 0; }
footer { color: var(--soft); font-size: .87rem; margin-top: 2.5rem; }
@media (max-width: 40rem) {
  .call summary { grid-template-columns: minmax(0, 1fr) auto; row-gap: .1rem; }
  .bar { display: none; }
  .call .chip { justify-self: start; }
  .call summary > .chip { grid-column: 1; grid-row: 2; }
  .turn header .right { margin-left: 0; width: 100%; }
}
@media print { body { max-width: none; } .turn { break-inside: avoid; } }
`;

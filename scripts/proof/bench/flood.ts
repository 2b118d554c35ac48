/**
 * 64 workspaces, each with a codex that prints 10,000 events and ten lines of 300 KB as fast as it
 * is let, and a host that at first does not read: is everything delivered, and what does it cost?
 *
 *     deno run -A scripts/proof/bench/flood.ts [WORKSPACES] [EVENTS]
 */
import { flood } from "../flood/flood.ts";
import { figure, report } from "./figures/figure.ts";

if (Deno.build.os !== "linux") {
  console.log("needs /proc; nothing was measured");
  Deno.exit(0);
}
const workspaces = Number(Deno.args[0] ?? 64);
const events = Number(Deno.args[1] ?? 10_000);
const found = await flood({ workspaces, events, longLines: 10 });
const rate = Math.round(found.events / found.seconds);
console.log(
  `${workspaces} turns, ${found.events} frames in order in ${found.seconds.toFixed(1)} s ` +
    `(${rate} a second); ${found.heldBack} codex waited for the host`,
);
const question = `flood of ${workspaces} turns`;
const note = `${found.idle.toFixed(0)} MiB idle`;
report([
  figure({
    question,
    name: "memory while the host does not read",
    values: [found.blocked - found.idle],
    unit: "MiB",
    note,
  }),
  figure({
    question,
    name: "most memory ever",
    values: [found.peak - found.idle],
    unit: "MiB",
    note,
  }),
]);

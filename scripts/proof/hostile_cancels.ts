/**
 * Cancels turns at random moments while everything about them is hostile, and counts what is left:
 *
 *     deno run -A scripts/proof/hostile_cancels.ts [CANCELS] [SEED] [--stays]
 *
 * Half of the turns run a fake codex with children that change their session, fork twice, ignore
 * signals, hold its pipes or empty their environment; the others run real codex of three versions
 * with commands that leave such daemons. After each cancel every process that belonged to the turn
 * must be gone, its temporary files too, and the thread must go on. With `--stays` all turns run a real
 * codex that stays between turns. Prints a table in Markdown; exits with 1 when anything was left.
 */
import { table } from "../table.ts";
import { hostileKinds, Lane, type Outcome } from "./hostile/lane.ts";
import { quantile, random } from "./series.ts";

const CANCELS = Number(Deno.args[0] ?? 240);
const SEED = Number(Deno.args[1] ?? Date.now() % 1_000_000);
const LANES = 2;

const dice = random(SEED);
const kinds = hostileKinds(Deno.args.includes("--stays"));
const outcomes: Outcome[] = [];
let left = CANCELS;

async function drive(): Promise<void> {
  while (left > 0) {
    // A plugin process serves a few turns of one kind, then the next begins with a clean world.
    const kind = kinds[Math.floor(dice() * kinds.length)] ?? kinds[0];
    if (kind === undefined) return;
    await using lane = await Lane.open(kind);
    for (let turns = 5; turns > 0 && left > 0; turns--) {
      left--;
      const outcome = await lane.cancelOne(dice);
      outcomes.push(outcome);
      if (outcome.orphans.length > 0) console.error(`${kind.name}:`, outcome.orphans);
    }
  }
}

/** What became of those of one kind, or of all. */
function row(kind: string): unknown[] {
  const of = outcomes.filter((one) => kind === "all" || one.kind === kind);
  const times = of.flatMap(({ ms }) => ms ?? []);
  return [
    kind,
    of.length,
    of.flatMap(({ orphans }) => orphans).length,
    of.reduce((sum, { files }) => sum + files, 0),
    of.filter(({ goesOn }) => !goesOn).length,
    [0.5, 0.95, 1].map((share) => Math.round(quantile(times, share) || 0)).join(" / "),
  ];
}

await Promise.all(Array.from({ length: LANES }, drive));
console.log(`${outcomes.length} cancels, seed ${SEED}\n`);
const told = "cancel → message_end, ms (p50 / p95 / max)";
console.log(table(
  ["turns", "cancels", "orphans", "files left", "threads lost", told],
  [...[...new Set(outcomes.map(({ kind }) => kind))].sort(), "all"].map(row),
));
Deno.exit(outcomes.some((one) => one.orphans.length > 0 || one.files > 0 || !one.goesOn) ? 1 : 0);

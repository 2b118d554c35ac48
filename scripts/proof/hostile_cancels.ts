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
import { hostileKinds, warmKinds } from "./hostile/kinds.ts";
import { hostileTable, Lane, type Outcome } from "./hostile/lane.ts";
import { random } from "./random.ts";

const CANCELS = Number(Deno.args[0] ?? 240);
const SEED = Number(Deno.args[1] ?? Date.now() % 1_000_000);
const LANES = 2;

const dice = random(SEED);
const kinds = Deno.args.includes("--stays") ? await warmKinds() : await hostileKinds();
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

await Promise.all(Array.from({ length: LANES }, drive));
console.log(`${outcomes.length} cancels, seed ${SEED}\n`);
console.log(hostileTable(outcomes));
Deno.exit(outcomes.some((one) => one.orphans.length > 0 || one.files > 0 || !one.goesOn) ? 1 : 0);

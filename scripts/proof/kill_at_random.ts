/**
 * Kills the plugin, codex or the relay (`mcp-host`) with SIGKILL at random moments of turns:
 *
 *     deno run -A scripts/proof/kill_at_random.ts [TURNS] [SEED] [--served]
 *
 * After each shot the next turn in the same workspace must work, on the same thread, and remember
 * every turn that ended well; no process, socket or half-written file may be left. Half of the turns
 * run real codex of three versions with a host tool, the others a fake codex. With `--served` all run a
 * real codex by `codex app-server`. Prints a table in Markdown; exits with 1 when anything was left or
 * lost.
 */
import {
  codexBinary,
  MIDDLE_CODEX,
  NEWEST_CODEX,
  OLDEST_CODEX,
  STAYING_CODEX,
} from "../../tests/support/codex.ts";
import { random } from "./random.ts";
import { isClean, killTable, type Outcome, type Victim } from "./kill/outcome.ts";
import { type Kind, Range } from "./kill/range.ts";

const TURNS = Number(Deno.args[0] ?? 500);
const SEED = Number(Deno.args[1] ?? Date.now() % 1_000_000);
const LANES = 2;
/** Shots in one world, so that threads grow old. */
const SHOTS = 12;

const dice = random(SEED);
const kinds: Kind[] = [];
if (Deno.args.includes("--served")) {
  for (const version of STAYING_CODEX) {
    const binary = (await codexBinary(version)).native;
    kinds.push({ name: `${version}, served`, binary, served: true });
  }
} else {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    kinds.push({ name: version, binary: (await codexBinary(version)).native }, { name: "fake" });
  }
}
const outcomes: Outcome[] = [];
let left = TURNS;
let opened = 0;

function take(outcome: Outcome): void {
  outcomes.push(outcome);
  if (!isClean(outcome)) console.error(outcome);
}

async function lane(): Promise<void> {
  while (left > 0) {
    const kind = kinds[opened++ % kinds.length];
    if (kind === undefined) return;
    await using range = await Range.open(kind);
    const victims: Victim[] = kind.binary ? ["plugin", "codex", "mcp-host"] : ["plugin", "codex"];
    for (let shots = SHOTS; shots > 0 && left > 0; shots--) {
      const victim = victims[Math.floor(dice() * victims.length)] ?? "codex";
      const outcome = await range.shoot(victim, dice);
      take(outcome);
      left -= outcome.turns;
    }
    take(await range.restart());
    console.error(`${TURNS - left} of ${TURNS} turns, ${outcomes.filter(isClean).length} clean`);
  }
}

console.error(`seed ${SEED}`);
await Promise.all(Array.from({ length: LANES }, lane));
console.log(killTable(outcomes));
Deno.exit(outcomes.every(isClean) ? 0 : 1);

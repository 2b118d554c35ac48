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
  MIDDLE_CODEX,
  NEWEST_CODEX,
  OLDEST_CODEX,
  STAYING_CODEX,
} from "../../tests/support/codex.ts";
import { table } from "../table.ts";
import { type Kind, type Outcome, Range, TRACES, type Victim } from "./kill/range.ts";
import { random } from "./series.ts";

const TURNS = Number(Deno.args[0] ?? 500);
const SEED = Number(Deno.args[1] ?? Date.now() % 1_000_000);
const LANES = 2;
/** Shots in one world, so that threads grow old. */
const SHOTS = 12;

const dice = random(SEED);
const kinds: Kind[] = Deno.args.includes("--served")
  ? STAYING_CODEX.map((version) => ({ name: `${version}, served`, version, served: true }))
  : [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]
    .flatMap((version) => [{ name: version, version }, { name: "fake" }]);
const outcomes: Outcome[] = [];
let left = TURNS;
let opened = 0;

/** Whether nothing was left that must not be. */
function isClean({ left }: Outcome): boolean {
  return Object.values(left).every((traces) => traces.length === 0);
}

function take(outcome: Outcome): void {
  outcomes.push(outcome);
  if (!isClean(outcome)) console.error(outcome);
}

async function lane(): Promise<void> {
  while (left > 0) {
    const kind = kinds[opened++ % kinds.length];
    if (kind === undefined) return;
    await using range = await Range.open(kind);
    const victims: Victim[] = kind.version ? ["plugin", "codex", "mcp-host"] : ["plugin", "codex"];
    for (let shots = SHOTS; shots > 0 && left > 0; shots--) {
      const victim = victims[Math.floor(dice() * victims.length)] ?? "codex";
      const outcome = await range.shoot(victim, dice);
      take(outcome);
      left -= outcome.ends.length;
    }
    take(await range.restart());
    console.error(`${TURNS - left} of ${TURNS} turns, ${outcomes.filter(isClean).length} clean`);
  }
}

function row(name: string[], all: readonly Outcome[]): unknown[] {
  const ends = Map.groupBy(all.flatMap(({ ends }) => ends), (end) => end);
  const told = [...ends].sort(([, a], [, b]) => b.length - a.length)
    .map(([end, each]) => `${end} ${each.length}`).join(", ");
  const traces = Object.keys(TRACES) as (keyof typeof TRACES)[];
  return [
    ...[...name, all.length, all.filter(({ hit }) => hit).length],
    ...[all.flatMap(({ ends }) => ends).length, told],
    ...traces.map((trace) => all.flatMap(({ left }) => left[trace]).length),
  ];
}

console.error(`seed ${SEED}`);
await Promise.all(Array.from({ length: LANES }, lane));
const groups = Map.groupBy(outcomes, ({ codex, victim }) => `${codex}|${victim}`);
console.log(table(
  ["codex", "killed", "shots", "hits", "turns", "how they ended", ...Object.values(TRACES)],
  [
    ...[...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([name, all]) =>
      row(name.split("|"), all)
    ),
    row(["all", ""], outcomes),
  ],
));
Deno.exit(outcomes.every(isClean) ? 0 : 1);

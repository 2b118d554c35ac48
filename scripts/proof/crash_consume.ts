/**
 * Kills the real executable in the middle of consumes, again and again, and looks at what is left.
 *
 *     deno run -A scripts/proof/crash_consume.ts [--kills 300] [--seed 1]
 *
 * Each round starts the plugin on the same profile, lets it recover, checks every byte of the session
 * (each record old or new, nothing acknowledged is lost, nothing else changed), asks for consumes in a
 * burst and sends SIGKILL at a random moment. Prints a summary; exit 1 at the first damage.
 */
import { pause } from "../../base/timer.ts";
import { namesIn } from "../../tests/support/files.ts";
import { Lab } from "../../tests/support/lab.ts";
import { type CallState, crashRun, Expectation, type Op, Victim } from "./crash_sessions.ts";

const { kills, dice, summary } = crashRun({ kills: 300 });
const CALLS = 400;
const BURST = 8;

await using lab = await Lab.open("/nonexistent/codex");
const victim = new Victim(lab.sandbox, CALLS);
const expected = new Map(victim.calls.map((id) => [id, new Expectation("whole")]));
const counts = { kills: 0, asked: 0, acknowledged: 0, "journals found": 0, finished: 0 };
let longest = 150;

for (let round = 0; round <= kills; round++) {
  counts["journals found"] += leftovers(/\.journal$/).length;
  const before = tryStates();
  if (round > 0) await lab.restart();
  await lab.mutate("consume-light", "nobody"); // answered when recovery is done
  const states = victim.states();
  if ([...states].some(([id, state]) => before?.get(id) !== state)) counts.finished++;
  for (const [id, state] of states) expected.get(id)?.settle(id, state);
  const left = leftovers(/\.(?:journal|broken|refused)$/);
  if (left.length > 0) throw new Error(`left in the state directory: ${left.join(", ")}`);
  if (round === kills) break;
  await burstAndKill();
  counts.kills++;
}
summary(counts);

/** Asks for several consumes at once and kills the plugin before, while or after it answers. */
async function burstAndKill(): Promise<void> {
  const begun = performance.now();
  const answers = Array.from({ length: BURST }, async () => {
    const mutations = Array.from({ length: 1 + Math.floor(dice() * 4) }, () => ({
      block_id: victim.calls[Math.floor(dice() * CALLS)] ?? "",
      op: (dice() < 0.5 ? "consume-light" : "consume-heavy") as Op,
    }));
    const acknowledge = mutations.map(({ block_id, op }) => expected.get(block_id)?.ask(op));
    counts.asked += mutations.length;
    await lab.mutateAll(mutations);
    longest = Math.max(longest, performance.now() - begun);
    for (const done of acknowledge) done?.();
    counts.acknowledged += mutations.length;
  });
  const all = Promise.allSettled(answers);
  await pause(dice() * longest * 1.2);
  lab.host.kill("SIGKILL");
  await all;
}

/** The states without recovery: a torn record is no damage yet. */
function tryStates(): Map<string, CallState> | undefined {
  try {
    return victim.states();
  } catch {
    return undefined;
  }
}

function leftovers(ending: RegExp): string[] {
  return namesIn(lab.sandbox.state).filter((name) => ending.test(name));
}

/**
 * Kills the real executable while a real codex runs a turn and consumes are asked for meanwhile.
 *
 *     deno run -A scripts/proof/crash_follow.ts [--kills 60] [--codex VERSION] [--seed 1]
 *
 * Each round starts the plugin on the same profile, lets it clear up, checks the session (no line lost,
 * torn or changed by more than what was asked for), begins a turn that calls the shell three times, asks
 * for consumes of earlier calls, and sends SIGKILL at a random moment. At the end one whole turn must
 * succeed, and every acknowledged consume must be done. Prints a summary; exit 1 at the first damage.
 */
import { strict as assert } from "node:assert";
import { pause } from "../../base/timer.ts";
import type { Step } from "../../tests/support/model/step.ts";
import { locateRolloutSync } from "../../rollout/locate.ts";
import { Lab } from "../../tests/support/lab.ts";
import { crashRun, GrowingSession } from "./crash_sessions.ts";

const { kills, codex, dice, summary } = crashRun({ kills: 60 });

let asked = 0;
await using lab = await Lab.open(codex, { fallback: { answer: nextStep } });
const counts = { kills: 0, "killed in a turn": 0, "consumes asked": 0 };
let longest = 1000;

await wholeTurn(); // the first ever takes longer
const first = await wholeTurn();
const located = locateRolloutSync(lab.sandbox.codexHome, first);
assert.equal(located.kind, "found");
const session = new GrowingSession(located.kind === "found" ? located.path : "");

for (let round = 0; round <= kills; round++) {
  lab.host.kill("SIGKILL");
  await lab.restart();
  await lab.mutate("consume-light", "nobody"); // answered when what was left is cleared up
  session.check();
  if (round < kills) await turnAndKill();
}
assert.equal(await wholeTurn(), first, "it is the same thread");
session.check();
session.checkAcknowledged();

summary({ ...counts, "consumes acknowledged": session.acknowledged, lines: session.lines });

/** Three calls of the shell, then an answer. */
function nextStep(): Step {
  asked++;
  if (asked % 4 === 0) return { text: `done ${asked}` };
  const args = { cmd: `echo out ${asked}; seq 1 300; sleep 0.05` };
  return {
    items: [{ type: "function_call", name: "exec_command", args, call_id: `call_${asked}` }],
  };
}

async function wholeTurn(): Promise<string> {
  const begun = performance.now();
  const { stop_reason, thread_id } = await lab.start("go on").result;
  assert.equal(stop_reason, "end_turn");
  longest = performance.now() - begun;
  return thread_id;
}

async function turnAndKill(): Promise<void> {
  const turn = lab.start("go on");
  const until = dice() * longest * 1.2;
  await pause(until * dice());
  const ids = session.whole().filter(() => dice() < 0.2).slice(0, 3);
  const acknowledge = session.ask(ids);
  counts["consumes asked"] += ids.length;
  const answer = lab.mutate("consume-light", ...ids).then(acknowledge, () => {});
  await pause(until * dice());
  if (turn.of("message_end").length === 0) counts["killed in a turn"]++;
  lab.host.kill("SIGKILL");
  counts.kills++;
  await answer;
}

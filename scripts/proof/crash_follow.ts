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
import { parseArgs } from "node:util";
import { METHOD } from "../../plugin/protocol.ts";
import type { Step } from "../../tests/support/model/step.ts";
import { locateRolloutSync } from "../../rollout/locate.ts";
import { executable } from "../../tests/support/checkout.ts";
import { codexBinary, NEWEST_CODEX } from "../../tests/support/codex.ts";
import { type Host, startHost } from "../../tests/support/host.ts";
import { openSandbox } from "../../tests/support/sandbox.ts";
import { GrowingSession } from "./crash/growing.ts";
import { random } from "./series.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "60" },
    codex: { type: "string", default: NEWEST_CODEX },
    seed: { type: "string", default: "1" },
  },
});
const kills = Number(values.kills);
const dice = random(Number(values.seed));

let asked = 0;
const program = await executable();
const { native } = await codexBinary(values.codex);
await using sandbox = await openSandbox({ binary: native, fallback: { answer: nextStep } });
const counts = { kills: 0, "killed in a turn": 0, "consumes asked": 0 };
const started = performance.now();
let longest = 1000;

await withHost((host) => wholeTurn(host)); // the first ever takes longer
const first = await withHost((host) => wholeTurn(host));
const located = locateRolloutSync(sandbox.codexHome, first);
assert.equal(located.kind, "found");
const session = new GrowingSession(located.kind === "found" ? located.path : "");

for (let round = 0; round < kills; round++) {
  await withHost(async (host) => {
    session.check();
    await turnAndKill(host);
  });
}
await withHost(async (host) => {
  session.check();
  assert.equal(await wholeTurn(host), first, "it is the same thread");
});
session.check();
session.checkAcknowledged();

const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`${program.command}, codex ${values.codex}, ${seconds} s, seed ${values.seed}`);
for (const [what, count] of Object.entries(counts)) console.log(`${what}: ${count}`);
console.log(`consumes acknowledged: ${session.acknowledged}, all done\nlines: ${session.lines}`);
console.log("torn records: 0\nlost mutations: 0\ndamaged sessions: 0");

/** Three calls of the shell, then an answer. */
function nextStep(): Step {
  asked++;
  if (asked % 4 === 0) return { text: `done ${asked}` };
  const args = { cmd: `echo out ${asked}; seq 1 300; sleep 0.05` };
  return {
    items: [{ type: "function_call", name: "exec_command", args, call_id: `call_${asked}` }],
  };
}

async function withHost<T>(work: (host: Host) => Promise<T>): Promise<T> {
  const host = await startHost({ env: sandbox.env, command: program });
  try {
    await host.initialize();
    await mutate(host, ["nobody"]); // answered when what was left is cleared up
    return await work(host);
  } finally {
    host.kill("SIGKILL");
    await host[Symbol.asyncDispose]();
  }
}

function begin(host: Host): ReturnType<Host["stream"]> {
  const agent = { agent_id: "cx", workspace: sandbox.workspace };
  const messages = [{ role: "user", content: "go on" }];
  return host.stream({ model: "codex", agent, request: { messages } });
}

async function wholeTurn(host: Host): Promise<string> {
  const begun = performance.now();
  const { stop_reason, thread_id } = await begin(host).result;
  assert.equal(stop_reason, "end_turn");
  longest = performance.now() - begun;
  return String(thread_id);
}

async function turnAndKill(host: Host): Promise<void> {
  const turn = begin(host);
  turn.result.catch(() => {});
  const until = dice() * longest * 1.2;
  await pause(until * dice());
  const ids = session.whole().filter(() => dice() < 0.2).slice(0, 3);
  const acknowledge = session.ask(ids);
  counts["consumes asked"] += ids.length;
  const answer = mutate(host, ids).then(acknowledge, () => {});
  await pause(until * dice());
  if (turn.of("message_end").length === 0) counts["killed in a turn"]++;
  host.kill("SIGKILL");
  counts.kills++;
  await answer;
}

async function mutate(host: Host, ids: string[]): Promise<void> {
  const mutations = ids.map((id) => ({ block_id: id, op: "consume-light" }));
  await host.request(METHOD.mutate, { agent_id: "cx", workspace: sandbox.workspace, mutations });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

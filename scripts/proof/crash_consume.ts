/**
 * Kills the real executable in the middle of consumes, again and again, and looks at what is left.
 *
 *     deno run -A scripts/proof/crash_consume.ts [--kills 300] [--seed 1]
 *
 * Each round starts the plugin on the same profile, lets it recover, checks every byte of the session
 * (each record old or new, nothing acknowledged is lost, nothing else changed), asks for consumes in a
 * burst and sends SIGKILL at a random moment. Prints a summary; exit 1 at the first damage.
 */
import { parseArgs } from "node:util";
import { join } from "@std/path";
import { METHOD } from "../../plugin/protocol.ts";
import { executable } from "../../tests/support/checkout.ts";
import { type Host, startHost } from "../../tests/support/host.ts";
import { openSandbox } from "../../tests/support/sandbox.ts";
import { type CallState, Expectation, type Op, Victim } from "./crash/victim.ts";
import { random } from "./series.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
  },
});
const kills = Number(values.kills);
const dice = random(Number(values.seed));
const CALLS = 400;
const BURST = 8;

const program = await executable();
await using sandbox = await openSandbox({ binary: "/nonexistent/codex" });
const victim = new Victim(sandbox.codexHome, sandbox.workspace, CALLS);
const expected = new Map(victim.calls.map((id) => [id, new Expectation("whole")]));
const counts = { kills: 0, asked: 0, acknowledged: 0, "journals found": 0, finished: 0 };
const started = performance.now();
let longest = 150;

for (let round = 0; round <= kills; round++) {
  counts["journals found"] += leftovers(".journal");
  const before = tryStates();
  const host = await startHost({ env: sandbox.env, command: program });
  try {
    await host.initialize();
    await mutate(host, [{ id: "nobody", op: "consume-light" }]); // answered when recovery is done
    const states = victim.states();
    if (before === undefined || changed(before, states)) counts.finished++;
    for (const [id, state] of states) expected.get(id)?.settle(id, state);
    if (leftovers(".journal") + leftovers(".broken") + leftovers(".refused") > 0) {
      throw new Error(`left in the state directory: ${stateFiles().join(", ")}`);
    }
    if (round === kills) break;
    await burstAndKill(host);
    counts.kills++;
  } finally {
    host.kill("SIGKILL");
    await host[Symbol.asyncDispose]();
  }
}
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`${program.command}, ${seconds} s, seed ${values.seed}`);
for (const [what, count] of Object.entries(counts)) console.log(`${what}: ${count}`);
console.log("torn records: 0\nlost mutations: 0\ndamaged sessions: 0");

/** Asks for several consumes at once and kills the plugin before, while or after it answers. */
async function burstAndKill(host: Host): Promise<void> {
  const begun = performance.now();
  const answers = Array.from({ length: BURST }, async () => {
    const mutations = Array.from({ length: 1 + Math.floor(dice() * 4) }, () => ({
      id: victim.calls[Math.floor(dice() * CALLS)] ?? "",
      op: (dice() < 0.5 ? "consume-light" : "consume-heavy") as Op,
    }));
    const acknowledge = mutations.map(({ id, op }) => expected.get(id)?.ask(op));
    counts.asked += mutations.length;
    await mutate(host, mutations);
    longest = Math.max(longest, performance.now() - begun);
    for (const done of acknowledge) done?.();
    counts.acknowledged += mutations.length;
  });
  const all = Promise.allSettled(answers);
  await new Promise((resolve) => setTimeout(resolve, dice() * longest * 1.2));
  host.kill("SIGKILL");
  await all;
}

async function mutate(host: Host, mutations: { id: string; op: Op }[]): Promise<void> {
  await host.request(METHOD.mutate, {
    agent_id: "cx",
    workspace: sandbox.workspace,
    mutations: mutations.map(({ id, op }) => ({ block_id: id, op })),
  });
}

/** The states without recovery: a torn record is no damage yet. */
function tryStates(): Map<string, CallState> | undefined {
  try {
    return victim.states();
  } catch {
    return undefined;
  }
}

function changed(before: Map<string, CallState>, after: Map<string, CallState>): boolean {
  return [...after].some(([id, state]) => before.get(id) !== state);
}

function stateFiles(): string[] {
  const directory = join(sandbox.profile, "plugins/plexum-openai-provider/state");
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function leftovers(ending: string): number {
  return stateFiles().filter((name) => name.endsWith(ending)).length;
}

/**
 * How long the plugin's loop stands still: `ping` from outside, again and again, while a lot goes on.
 *
 *     deno run -A scripts/proof/stall.ts [WORD OF A SCENARIO'S NAME]
 *
 * Each scenario has a plugin and a host of its own. The codex are shell scripts, so that what is measured
 * is the plugin and not the starting of Node. Then, where all scenarios run, the host goes away while 150
 * deaf codex run, on a calm machine and on a busy one. Prints tables in Markdown for docs/reliability.md. The times
 * include the host's own: it reads every event in the same process that sends the pings.
 */
import { join } from "@std/path";
import { pause } from "../../base/timer.ts";
import { StateStore } from "../../rollout/state/state.ts";
import { ZERO_USAGE } from "../../runner/thread/usage.ts";
import { namesIn } from "../../tests/support/files.ts";
import type { Host } from "../../tests/support/host.ts";
import { Lab, type LabOptions } from "../../tests/support/lab.ts";
import type { Turn } from "../../tests/support/turn.ts";
import { row } from "../table.ts";
import { writeSession } from "./bench/rollout/session.ts";
import { quantile } from "./series.ts";

const PING_EVERY_MS = 5;

/** What a scenario runs, beside the pings. */
interface Scenario {
  name: string;
  /** The body of the script after `thread.started` and `turn.started`. */
  script: string;
  turns: number;
  during: (turns: Turn[], again: (n: number) => Turn, lab: Lab) => Promise<void>;
  /** What has to be there before the plugin starts. */
  prepare?: LabOptions["prepare"];
}

const TALKS = `n=0
while [ $n -lt 20 ]; do n=$((n + 1)); say "$n"; sleep 0.25; done
done_`;
const DEAF = `trap '' INT TERM HUP
setsid sleep 1000 &
while :; do sleep 1000; done`;
/** A child that has codex's stdout and writes into it as fast as it can, when codex is gone. */
const FLOODS = `setsid yes '{"type":"item.completed"}' &
say "I leave"; exit 0`;

const SCENARIOS: Scenario[] = [
  { name: "nothing", script: "done_", turns: 0, during: () => pause(3_000) },
  {
    name: "64 turns at once, three rounds, 50 messages a second and turn",
    script: TALKS,
    turns: 64,
    async during(turns, again) {
      await Promise.all(turns.map(async (turn, n) => {
        await turn.end();
        for (let round = 1; round < 3; round++) await again(n).end();
      }));
    },
  },
  {
    name: "150 deaf codex with a daemon each, cancelled at once (grace 500 ms)",
    script: DEAF,
    turns: 150,
    async during(turns) {
      for (const turn of turns) await turn.until("message_start");
      await Promise.all(turns.map((turn) => turn.cancel()));
      for (const turn of turns) await turn.end();
    },
  },
  {
    name: "2 codex that exit and leave a child that floods their stdout",
    script: FLOODS,
    turns: 2,
    during: async (turns) => void await Promise.all(turns.map((turn) => turn.end())),
  },
  {
    name: "the first consume in a session of 1 GB, then 50 more",
    script: "done_",
    turns: 0,
    /** A session on which the plugin has no index yet. */
    async prepare({ codexHome, state, workspace }) {
      const { threadId, path: rolloutPath } = writeSession(codexHome, 1000);
      const usageTotal = ZERO_USAGE;
      const store = new StateStore(state);
      await store.save("cx", workspace, { threadId, rolloutPath, endOffset: 0, usageTotal });
    },
    async during(_turns, _again, lab) {
      for (let n = 0; n <= 50; n++) {
        const answer = await lab.mutate("consume-light", `call_${n * 997}`);
        if (answer.touched !== 1) throw new Error(JSON.stringify(answer));
      }
    },
  },
];

/** codex as a shell script. */
function program(body: string): string {
  return `#!/bin/sh
[ "$1" = --version ] && { echo codex-cli 0.169.0; exit; }
read -r id < /proc/sys/kernel/random/uuid
say() {
  i=0
  while [ $i -lt 12 ]; do i=$((i + 1))
    printf '{"type":"item.completed","item":{"id":"%s-%s","type":"agent_message","text":"message %s"}}\\n' "$1" "$i" "$i"
  done
}
done_() { :; }
printf '{"type":"thread.started","thread_id":"%s"}\\n{"type":"turn.started"}\\n' "$id"
${body}
printf '{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":1}}\\n'
`;
}

/** A plugin whose codex is that script, with so many workspaces; asks for a turn in one of them. */
async function open(script: string, count: number, prepare: LabOptions["prepare"] = () => {}) {
  const config = { timeouts: { grace_ms: 500 }, retries: 0 };
  const lab = await Lab.open({ program: program(script) }, { config, prepare });
  const names = Array.from({ length: count }, (_, n) => `w${n}`);
  const workspaces = await Promise.all(names.map(lab.sandbox.newWorkspace));
  const ask = (n: number) => lab.start("hello", { workspace: workspaces[n] });
  return { lab, ask, askAll: () => workspaces.map((_, n) => ask(n)) };
}

/** The host closes stdin while so many deaf codex run: how long until the plugin is gone, what is left. */
async function eof(count: number, burners: number): Promise<string> {
  const { lab, askAll } = await open(DEAF, count);
  await using _lab = lab;
  const { host, sandbox } = lab;
  const turns = askAll();
  for (const turn of turns) await turn.until("message_start");
  const burner = new Deno.Command("/bin/sh", {
    args: ["-c", "while :; do :; done"],
    stdin: "null",
  });
  const burning = Array.from({ length: burners }, () => burner.spawn());
  const began = performance.now();
  await host.closeStdin();
  const { code } = await host.exit;
  const took = ((performance.now() - began) / 1000).toFixed(1);
  const left = (await sandbox.processes()).length;
  burning.forEach((burner) => burner.kill("SIGKILL"));
  const ends = turns.filter((turn) => turn.of("message_end").length === 1).length;
  const directories = namesIn(join(sandbox.state, "running")).length;
  return row([burners, took, code, `${ends} of ${count}`, left, directories]);
}

async function measure({ name, script, turns, during, prepare }: Scenario): Promise<string> {
  const { lab, ask, askAll } = await open(script, turns, prepare);
  await using _lab = lab;
  let over = false;
  const began = performance.now();
  const pinging = pingUntil(lab.host, () => over);
  await during(askAll(), ask, lab);
  const took = performance.now() - began;
  over = true;
  const pings = await pinging;
  const shares = [0.5, 0.99, 0.999, 1].map((share) => quantile(pings, share).toFixed(1));
  return row([name, (took / 1000).toFixed(1), pings.length, ...shares]);
}

/** Round trips in ms, one after the other. */
async function pingUntil(host: Host, over: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!over()) {
    const sent = performance.now();
    await host.request("ping");
    times.push(performance.now() - sent);
    await pause(PING_EVERY_MS);
  }
  return times;
}

/** Row by row, because each takes a while. */
function head(...cells: string[]): void {
  console.log(`${row(cells)}\n${row(cells.map(() => "-"))}`);
}

head("while", "s", "pings", "p50 ms", "p99 ms", "p99.9 ms", "max ms");
const wanted = SCENARIOS.filter(({ name }) => name.includes(Deno.args[0] ?? ""));
for (const scenario of wanted) console.log(await measure(scenario));

if (Deno.args[0] === undefined) {
  const left = ["processes left", "turn directories left"];
  console.log();
  head("programs that want a core", "s to the exit", "code", "message_end", ...left);
  for (const burners of [0, 4]) console.log(await eof(150, burners));
}

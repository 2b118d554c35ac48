/**
 * What the plugin keeps in memory: idle after the handshake, and with many turns at once. Resident
 * memory of its process alone (`VmRSS`), so Linux only; codex is a shell script that says one sentence
 * and waits.
 *
 *     deno run -A scripts/proof/bench/memory.ts [STARTS]
 */
import { join } from "@std/path";
import { executable } from "../../../tests/support/checkout.ts";
import { figure, report } from "./figures/figure.ts";
import { Arena } from "./turn/arena.ts";
import { PluginHost } from "./turn/plugin_host.ts";

const STARTS = Number(Deno.args[0] ?? 7);
const TURNS = 64;

/** Says one sentence in a thread of its own and waits to be ended. */
const WAITING_CODEX = `#!/bin/sh
[ "$1" = --version ] && { echo codex-cli 0.169.0; exit; }
read -r id </proc/sys/kernel/random/uuid
day="$CODEX_HOME/sessions/$(date +%Y/%m/%d)"
mkdir -p "$day"
echo '{"timestamp":"2026-01-01T00:00:00.000Z","ordinal":0,"type":"session_meta","payload":{"id":"'$id'"}}' \\
  >"$day/rollout-$(date +%Y-%m-%dT%H-%M-%S)-$id.jsonl"
echo '{"type":"thread.started","thread_id":"'$id'"}'
echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Working."}}'
exec sleep 1000000
`;

/** In MiB. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024;
}

async function once(command: string[], home: string, env: Record<string, string>) {
  await using host = new PluginHost(command, env);
  await host.initialize();
  const idle = resident(host.pid);
  for (let turn = 1; turn <= TURNS; turn++) {
    await host.ask(turn, join(home, "work", String(turn)), "Work.");
  }
  for (let turn = 1; turn <= TURNS; turn++) await host.event("text_delta");
  const busy = resident(host.pid);
  for (let turn = 1; turn <= TURNS; turn++) {
    await host.send({ method: "notifications/cancelled", params: { requestId: turn } });
  }
  for (let turn = 1; turn <= TURNS; turn++) await host.event("message_end");
  return { idle, busy, after: resident(host.pid) };
}

if (Deno.build.os !== "linux") {
  console.log("not measured: only Linux says what a process keeps in memory");
  Deno.exit();
}
const program = join(Deno.makeTempDirSync(), "codex");
Deno.writeTextFileSync(program, WAITING_CODEX, { mode: 0o755 });
await using arena = await Arena.open({ codex: program });
const { command, args } = await executable();
const measured = [];
for (let start = 0; start < STARTS; start++) {
  const home = arena.home(`home${start}`);
  measured.push(await once([command, ...args], home, arena.environment(home)));
}
const question = "memory of the plugin's process";
const say = (name: string, values: number[], goal?: number) =>
  figure({ question, name, values, unit: "MiB", ...(goal === undefined ? {} : { goal }) });
report([
  say("idle, after `initialize`", measured.map(({ idle }) => idle), 70),
  say(`each of ${TURNS} turns at once`, measured.map(({ idle, busy }) => (busy - idle) / TURNS), 1),
  say(`after ${TURNS} turns`, measured.map(({ after }) => after)),
]);
Deno.removeSync(join(program, ".."), { recursive: true });

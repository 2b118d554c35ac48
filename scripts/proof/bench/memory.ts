/**
 * What the plugin keeps in memory: idle after the handshake, and with many turns at once. Resident
 * memory of its process alone (`VmRSS`), so Linux only; codex is a shell script that says one sentence
 * and waits.
 *
 *     deno run -A scripts/proof/bench/memory.ts [STARTS]
 */
import { METHOD } from "../../../plugin/protocol.ts";
import { BarePlugin } from "../../../tests/support/bare_plugin.ts";
import { openSandbox } from "../../../tests/support/sandbox.ts";
import { figure, report } from "./figures/figure.ts";

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

async function once(): Promise<{ idle: number; busy: number; after: number }> {
  await using sandbox = await openSandbox({ binary: { program: WAITING_CODEX } });
  await using host = await BarePlugin.start(sandbox.env);
  const idle = host.memory();
  const each = async (act: (turn: number) => Promise<unknown>) => {
    for (let turn = 1; turn <= TURNS; turn++) await act(turn);
  };
  await each(async (turn) => host.ask(turn, await sandbox.newWorkspace(`w${turn}`), "Work."));
  await each(() => host.event("text_delta"));
  const busy = host.memory();
  await each((requestId) => host.send({ method: METHOD.cancelled, params: { requestId } }));
  await each(() => host.event("message_end"));
  return { idle, busy, after: host.memory() };
}

if (Deno.build.os !== "linux") {
  console.log("not measured: only Linux says what a process keeps in memory");
  Deno.exit();
}
const measured = [];
for (let start = 0; start < STARTS; start++) measured.push(await once());
const question = "memory of the plugin's process";
const say = (name: string, values: number[], goal?: number) =>
  figure({ question, name, values, unit: "MiB", ...(goal === undefined ? {} : { goal }) });
report([
  say("idle, after `initialize`", measured.map(({ idle }) => idle), 70),
  say(`each of ${TURNS} turns at once`, measured.map(({ idle, busy }) => (busy - idle) / TURNS), 1),
  say(`after ${TURNS} turns`, measured.map(({ after }) => after)),
]);

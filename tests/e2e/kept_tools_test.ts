/** The host's tools of a codex that stays: its relay outlives the turn, and may be lost between two. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { NEWEST_CODEX, STAYING_CODEX } from "../support/codex.ts";
import { Lab } from "../support/lab.ts";
import { skipped } from "../support/skipped.ts";

const ignore = skipped(STAYING_CODEX.length === 0, "a codex that stays between turns: no prlimit");

const tools = [{ name: "echo", inputSchema: { type: "object" } }];
const call = (call_id: string) => ({
  items: [{
    type: "function_call" as const,
    namespace: "mcp__plexum_host",
    name: "echo",
    args: {},
    call_id,
  }],
});

function open(): Promise<Lab> {
  return Lab.open(NEWEST_CODEX, {
    transport: "app-server",
    config: { warm: { spare: false } },
    onToolCall: () => ({ content: [{ type: "text", text: "x".repeat(500) }] }),
  });
}

/** The relays that run. */
async function relays(lab: Lab): Promise<number[]> {
  return (await lab.sandbox.processes())
    .filter(({ command }) => / mcp-host\b/.test(command)).map(({ pid }) => pid);
}

/** A turn in which the model is offered the host's tool, calls it, and gets its answer. */
async function callsTool(lab: Lab, callId: string): Promise<void> {
  const { turn, asked } = await lab.succeed("go on", {
    tools,
    steps: [call(callId), { text: "done" }],
  });
  assert.match(JSON.stringify(asked[0]?.tools), /echo/);
  assert.deepEqual(turn.of("tool_result").map(({ is_error }) => is_error ?? false), [false]);
}

Deno.test({
  name: "thread that is read again after a consume has its relay before the next turn",
  ignore,
  async fn() {
    await using lab = await open();
    await callsTool(lab, "call_a");
    const [first] = await relays(lab);
    await lab.mutate("consume-heavy", "call_a");
    let second: number | undefined;
    while (second === undefined || second === first) [second] = await relays(lab);
    await callsTool(lab, "call_b");
    assert.deepEqual(await relays(lab), [second]);
  },
});

for (const lost of ["the socket", "the socket and the relay"]) {
  Deno.test({
    name: `turn has its host tools although ${lost} of the kept codex went away`,
    ignore,
    async fn() {
      await using lab = await open();
      await callsTool(lab, "call_a");
      for (const { name } of Deno.readDirSync(lab.sandbox.runtime)) {
        await Deno.remove(join(lab.sandbox.runtime, name), { recursive: true });
      }
      if (lost !== "the socket") { for (const pid of await relays(lab)) Deno.kill(pid, "SIGKILL"); }
      await lab.mutate("consume-heavy", "call_a");
      await callsTool(lab, "call_b");
      await callsTool(lab, "call_c");
    },
  });
}

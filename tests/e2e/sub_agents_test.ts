/** Agents that the model starts, beyond what the matrix plays. */
import { strict as assert } from "node:assert";
import { agentCallsHost, tellsAgent } from "../../scripts/proof/matrix/agents.ts";
import { MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { openWorld } from "./world.ts";

Deno.test("sub-agent with its parent's history is told with its own tokens and calls", async () => {
  await using world = await openWorld(NEWEST_CODEX);
  await tellsAgent(world, true);
});

for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
  Deno.test(`sub-agent's call of a host tool carries the agent's thread on codex ${version}`, async () => {
    await using world = await openWorld(version);
    const { turn, call } = await agentCallsHost(world);
    assert.match(String(call), /^[0-9a-f-]{36}$/);
    assert.notEqual(call, turn);
  });
}

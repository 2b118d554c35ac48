/** Agents that the model starts, beyond what the matrix plays: with their parent's history. */
import { tellsAgent } from "../../scripts/proof/matrix/agents.ts";
import { NEWEST_CODEX } from "../support/codex.ts";
import { openWorld } from "./world.ts";

Deno.test("sub-agent with its parent's history is told with its own tokens and calls", async () => {
  await using world = await openWorld(NEWEST_CODEX);
  await tellsAgent(world, true);
});

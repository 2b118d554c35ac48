/** codex's own TypeScript package against our decoder of codex's lines. */
import { strict as assert } from "node:assert";
import { namesIn, sdkTypes, unknownNames } from "../../scripts/proof/codex/sdk.ts";
import { CODEX_SDK } from "../support/npm_package.ts";

Deno.test("every event and item that @openai/codex-sdk names is known to the decoder", async () => {
  const names = namesIn((await sdkTypes(CODEX_SDK[1])).text);
  assert.ok(names.events.includes("turn.completed") && names.events.length >= 8, `${names.events}`);
  assert.ok(names.items.includes("todo_list") && names.items.length >= 8, `${names.items}`);
  assert.deepEqual(unknownNames(names), []);
});

Deno.test("a name that the decoder does not know is told", () => {
  const names = { events: ["turn.completed", "turn.paused"], items: ["reasoning", "dream"] };
  assert.deepEqual(unknownNames(names), ["turn.paused", "dream"]);
  assert.throws(() => namesIn("type ThreadEvent = Gone;"), /Cannot read the names of ThreadEvent/);
});

/**
 * A consume that comes while another codex has the thread open: recorded, and done as soon as that
 * codex is gone, without anybody asking again.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { writerLockPath } from "../../rollout/rollout_file.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import { command } from "../support/model/items.ts";
import { openSandbox } from "../support/sandbox.ts";

Deno.test("a consume deferred because of another codex is done when that codex lets go", async () => {
  const { native } = await codexBinary(NEWEST_CODEX);
  await using sandbox = await openSandbox({
    binary: native,
    steps: [
      { items: [command("echo a long line to be let go", "call_1")] },
      { text: "done" },
    ],
  });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const turn = host.stream({
    model: "codex",
    agent: { agent_id: "cx", workspace: sandbox.workspace },
    request: { messages: [{ role: "user", content: "look" }] },
  });
  const { thread_id: threadId } = await turn.result;

  // What a codex that has the thread open holds.
  const lockPath = writerLockPath(sandbox.codexHome, threadId);
  Deno.mkdirSync(join(lockPath, ".."), { recursive: true });
  const writer = Deno.openSync(lockPath, { write: true, create: true });
  await writer.lock(true);
  const answer = await host.request("plexum/session/mutate", {
    agent_id: "cx",
    workspace: sandbox.workspace,
    mutations: [{ block_id: "call_1", op: "consume-light" }],
  });
  assert.deepEqual(answer, { requested: 1, touched: 0, deferred: 1, skipped: [] });

  writer.close();
  await host.logged('"touched":1');
});

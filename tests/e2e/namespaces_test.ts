/**
 * Two plugins on one profile that cannot see each other's processes: each in a pid namespace of its own, as
 * in containers that share a volume. A turn's life is a lock, so neither takes the other's for dead.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { executable } from "../support/checkout.ts";
import { began, fakeCodex, plainTurn } from "../support/fake_codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { asks } from "./world.ts";
import { skipped } from "../support/skipped.ts";
import { canUnshare } from "../support/user_namespaces.ts";

const UNSHARE = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];

const possible = Deno.build.os === "linux" && canUnshare(...UNSHARE);

for (const inside of ["first", "second"] as const) {
  Deno.test({
    name:
      `plugin leaves the turns of another alone whose pids it cannot see: the ${inside} is in a namespace`,
    ignore: skipped(!possible, "plugins in pid namespaces: none can be made here"),
    async fn() {
      await using sandbox = await openSandbox({ binary: "codex" });
      const codex = await fakeCodex(sandbox.root, {
        acts: [began(), { mark: "began" }, { hang: true }],
        byPrompt: { quick: plainTurn("hi") },
      });
      await sandbox.configure({ binary: codex.path });
      const { command, args } = await executable();
      const start = (which: "first" | "second") =>
        startHost({
          env: sandbox.env,
          ...(which === inside
            ? { command: { command: "unshare", args: [...UNSHARE, command, ...args] } }
            : {}),
        });
      await using first = await start("first");
      await first.initialize();
      const turn = first.stream(asks(sandbox.workspace, "hello"));
      await codex.reached("began");
      await turn.until("message_start");
      const running = join(sandbox.profile, "plugins/plexum-openai-provider/state/running");
      const before = [...Deno.readDirSync(running)].map(({ name }) => name);

      await using second = await start("second");
      await second.initialize();
      const other = second.stream(asks(await sandbox.newWorkspace("w2"), "quick"));
      assert.equal((await other.result).stop_reason, "end_turn");
      assert.doesNotMatch(JSON.stringify(second.logs), /plugin that was killed/);
      assert.deepEqual([...Deno.readDirSync(running)].map(({ name }) => name), before);
      assert.equal(turn.seen.some(({ type }) => type === "message_end"), false, turn.story());
      await turn.cancel();
      assert.equal((await turn.end()).stop_reason, "cancelled");
    },
  });
}

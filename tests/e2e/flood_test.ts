/** Many codex that print as fast as they are let, towards a host that does not read at first. */
import { strict as assert } from "node:assert";
import { flood } from "../../scripts/proof/bench/flood.ts";
import { fakeCodex, plainTurn } from "../support/fake_codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import type { Turn } from "../support/turn.ts";
import { asks } from "./world.ts";
import { skipped } from "../support/skipped.ts";

Deno.test({
  name: "flood of 16 turns arrives whole and in order; while nobody reads, every codex waits",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"), // looks into /proc
  async fn() {
    // The flood itself looks at every frame.
    const { events, heldBack, blocked, peak } = await flood({
      workspaces: 16,
      events: 1500,
      longLines: 5,
    });
    assert.ok(events >= 16 * (1 + 1500 + 5 + 1 + 1));
    assert.equal(heldBack, 16, "the host's pipe holds back codex's");
    // 16 turns print 36 MiB in all; what is held of it must not grow with it.
    assert.ok(blocked < 250 && peak < 500, `${blocked} MiB while blocked, ${peak} MiB at most`);
  },
});

Deno.test("turns run at most as many at once as allowed, each workspace's in order, the oldest first", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const codex = await fakeCodex(sandbox.root, { acts: plainTurn("ok") });
  await sandbox.configure({ binary: codex.path, max_parallel_turns: 3 });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const workspaces = await Promise.all(["a", "b", "c", "d", "e"].map(sandbox.newWorkspace));
  const started: number[] = [];
  let most = 0;
  let running = 0;
  const watch = async (turn: Turn, n: number) => {
    await turn.until("message_start");
    started.push(n);
    most = Math.max(most, ++running);
    await turn.until("message_end");
    running--;
    await turn.result;
  };
  const turns = [0, 1, 2].flatMap((round) =>
    workspaces.map((workspace, n) => watch(host.stream(asks(workspace, "hi")), round * 5 + n))
  );
  await Promise.all(turns);
  assert.ok(most <= 3, `${most} at once`);
  for (const [n, first] of started.entries()) {
    // With three places, nobody is overtaken by more than those who run beside him.
    assert.ok(Math.abs(first - n) <= 3, `turn ${first} started as number ${n}`);
    const earlier = started.slice(0, n).filter((other) => other % 5 === first % 5);
    assert.ok(earlier.every((other) => other < first), "a workspace's turns in order");
  }
});

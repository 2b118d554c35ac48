import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { Usage } from "../../../rollout/records/events.ts";
import { StateStore } from "../../../rollout/state/state.ts";
import { recallThread, rememberThread, type Thread } from "../../../runner/thread/thread.ts";
import { ZERO_USAGE } from "../../../runner/thread/usage.ts";
import { failing } from "../../support/failing_system.ts";
import { captured, CodexHome } from "../../rollout/rollouts.ts";

const owner = { agentId: "cx", workspace: "/workspace" };
const usageOf = (inputTokens: number): Usage => ({ ...ZERO_USAGE, inputTokens });

/** A thread of three turns, 1000, 2000 and 3000 tokens, and a store that knows nothing of it. */
class Stage {
  readonly home = new CodexHome();
  readonly store = new StateStore(join(this.home.dir, "state"));
  readonly rollout = captured("0.169.0", "resume-3-turns");
  readonly path = this.home.put(this.rollout);
  readonly size = this.rollout.bytes.length;

  async remember(thread: Partial<Thread>): Promise<void> {
    await rememberThread(this.store, owner, {
      threadId: this.rollout.threadId,
      rolloutPath: this.path,
      from: this.size,
      base: ZERO_USAGE,
      systemDigest: undefined,
      ...thread,
    });
  }

  recall(): Promise<Thread | undefined> {
    return recallThread(this.store, owner, this.home.dir);
  }

  /** The thread's total as codex recorded it last. */
  async total(): Promise<Usage | undefined> {
    await this.remember({ from: 0 });
    return (await this.recall())?.base;
  }

  [Symbol.dispose](): void {
    this.home[Symbol.dispose]();
  }
}

Deno.test("recallThread knows no thread where none was remembered", async () => {
  using stage = new Stage();
  assert.equal(await stage.recall(), undefined);
});

Deno.test("recallThread gives back what was remembered, and where the rollout ends now", async () => {
  using stage = new Stage();
  await stage.remember({ base: usageOf(70), systemDigest: "d" });
  assert.deepEqual(await stage.recall(), {
    threadId: stage.rollout.threadId,
    rolloutPath: stage.path,
    from: stage.size,
    base: usageOf(70),
    systemDigest: "d",
  });
});

Deno.test("recallThread does not go on without a rollout that may be readable soon", async () => {
  using stage = new Stage();
  await stage.remember({});
  {
    using _fault = failing("openSync", stage.path);
    await assert.rejects(stage.recall(), /os error 24/);
  }
  assert.equal((await stage.recall())?.rolloutPath, stage.path);
});

Deno.test("recallThread counts what somebody else used since our last turn", async () => {
  using stage = new Stage();
  const total = await stage.total();
  assert.ok(total !== undefined && total.inputTokens > 1000);
  // Our last turn ended after the first third of the file.
  const lines = new TextDecoder().decode(stage.rollout.bytes).split("\n");
  const from = lines.slice(0, Math.floor(lines.length / 3)).join("\n").length + 1;
  await stage.remember({ from, base: usageOf(1000) });
  assert.deepEqual((await stage.recall())?.base, total);
});

Deno.test("recallThread reads the total anew when nobody knew it, or the file is shorter than it was", async () => {
  using stage = new Stage();
  const total = await stage.total();
  await stage.remember({ base: undefined });
  assert.deepEqual((await stage.recall())?.base, total);
  await stage.remember({ from: stage.size + 1000, base: usageOf(999_999) });
  assert.deepEqual((await stage.recall())?.base, total);
});

Deno.test("recallThread tells nothing again of a rollout that turns up later", async () => {
  using stage = new Stage();
  await stage.remember({ base: usageOf(70) });
  Deno.removeSync(stage.path);
  const thread = await stage.recall();
  assert.equal(thread?.threadId, stage.rollout.threadId);
  assert.deepEqual([thread?.rolloutPath, thread?.base], [undefined, undefined]);
  assert.ok((thread?.from ?? 0) > stage.size);
});

Deno.test("recallThread finds a rollout that was moved", async () => {
  using stage = new Stage();
  await stage.remember({});
  const moved = stage.home.path(stage.rollout.threadId, "2026/01/02");
  Deno.renameSync(stage.path, moved);
  assert.equal((await stage.recall())?.rolloutPath, moved);
});

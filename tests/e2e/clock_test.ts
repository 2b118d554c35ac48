/**
 * A wall clock that jumps. Deadlines of turns go by the monotonic clock; the wall clock is asked in
 * four places: which day's directory a thread lies in, how old a leftover is, when a rate limit is
 * over, and what time a log line bears. The first two are here, the third is retry_test.ts.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { sweepStaleSockets } from "../../mcp_host/listener/socket_dir.ts";
import { Follower } from "../../rollout/follow.ts";
import { sweepTemporaries } from "../../rollout/state/keep.ts";
import { StateStore } from "../../rollout/state/state.ts";
import { sweepTurns } from "../../runner/process/turn_directory.ts";
import { captured, CodexHome } from "../rollout/rollouts.ts";

const YEAR_MS = 365 * 24 * 60 * 60_000;

Deno.test("clock that jumped between a thread's id and its file: the turn is told all the same", async () => {
  using home = new CodexHome();
  const rollout = captured("0.169.0", "shell-ok");
  using usual = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from: 0 });
  // The id says one day, the directory another, three years on.
  Deno.writeFileSync(home.path(rollout.threadId, "2029/01/02"), rollout.bytes);
  assert.deepEqual(
    await Array.fromAsync(usual.drain()),
    [],
    "a live turn only looks where the file should be",
  );
  const told = (await Array.fromAsync(usual.finish())).map(({ type }) => type);
  assert.ok(told.includes("call") && told.includes("result"), told.join());
});

Deno.test("clock that was put back: leftovers from the future are left alone, and nothing throws", async () => {
  const root = Deno.makeTempDirSync();
  const future = new Date(Date.now() + YEAR_MS);
  const make = (...path: string[]): string => {
    const directory = join(root, ...path);
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    Deno.utimeSync(directory, future, future);
    return directory;
  };
  try {
    make("rt", "plexum-0123456789abcdef");
    make("running", "0199aaaa-0000-4000-8000-000000000000");
    const store = new StateStore(join(root, "state"));
    const temporary = join(store.dir, ".thread-x.json.1.0.tmp");
    Deno.writeTextFileSync(temporary, "half");
    Deno.utimeSync(temporary, future, future);

    assert.equal(await sweepStaleSockets(join(root, "rt")), 0);
    assert.deepEqual(await sweepTurns(join(root, "running")), { turns: 0, survivors: [] });
    sweepTemporaries(store);
    assert.ok(Deno.statSync(temporary).isFile);
    // When the clock has caught up, they go.
    assert.equal(await sweepStaleSockets(join(root, "rt"), future.getTime() + 61_000), 1);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

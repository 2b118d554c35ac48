import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ChangeSignal } from "../../rollout/change_signal.ts";
import { Follower } from "../../rollout/follow.ts";
import { watchDirectory, watchedDirectories } from "../../rollout/watch.ts";
import { captured, CodexHome } from "./rollouts.ts";

const forever = new AbortController().signal;

Deno.test("watchDirectory shares one watcher per directory and closes it with its last listener", () => {
  using home = new CodexHome();
  const stops = Array.from({ length: 64 }, () => watchDirectory(home.dir, () => {}));
  assert.equal(watchedDirectories(), 1);
  for (const stop of stops.slice(1)) stop();
  assert.equal(watchedDirectories(), 1);
  stops[0]?.();
  stops[0]?.(); // twice does no harm
  assert.equal(watchedDirectories(), 0);
  assert.throws(() => watchDirectory(join(home.dir, "nowhere"), () => {}));
});

Deno.test("64 turns at once are each woken by their own rollout, with one watcher", async () => {
  using home = new CodexHome();
  const { threadId, bytes } = captured("0.169.0", "shell-ok");
  const ids = Array.from({ length: 64 }, (_, i) => threadId.slice(0, -2) + String(10 + i));
  const text = new TextDecoder().decode(bytes);
  const followers = ids.map((id) => {
    const path = home.path(id);
    Deno.writeTextFileSync(path, text.slice(0, text.indexOf("\n") + 1).replaceAll(threadId, id));
    return new Follower({ codexHome: home.dir, threadId: id, from: 1 });
  });
  try {
    for (const follower of followers) follower.drain();
    assert.equal(watchedDirectories(), 1);
    await Promise.all(followers.map(async (follower, i) => {
      const calls: string[] = [];
      Deno.writeTextFileSync(follower.path ?? "", text.slice(text.indexOf("\n") + 1), {
        append: true,
      });
      while (calls.length === 0) {
        await follower.changed(forever);
        calls.push(...follower.drain().flatMap((event) => event.type === "call" ? [event.id] : []));
      }
      assert.deepEqual(calls, ["call_sh1"], ids[i]);
    }));
  } finally {
    for (const follower of followers) follower.close();
  }
  assert.equal(watchedDirectories(), 0);
});

Deno.test("ChangeSignal remembers a change of its file between two waits, and not of other files", async () => {
  using home = new CodexHome();
  for (
    const [names, remembered] of [[["other", "last"], false], [["mine", "last"], true]] as const
  ) {
    const signal = new ChangeSignal();
    signal.watch(home.dir, "mine");
    await signal.wait(forever); // it is new: look once
    const delivered = Promise.withResolvers<void>();
    const stop = watchDirectory(home.dir, (paths) => {
      if (paths.some((path) => path.endsWith("last"))) delivered.resolve();
    });
    for (const name of names) Deno.writeTextFileSync(join(home.dir, name), "x");
    await delivered.promise;
    let woken = false;
    const given = new AbortController();
    const waiting = signal.wait(given.signal).then(() => woken = true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(woken, remembered);
    given.abort();
    await waiting;
    stop();
    signal.close();
  }
});

Deno.test("ChangeSignal looks by itself where nothing can be watched", async () => {
  using home = new CodexHome();
  const signal = new ChangeSignal();
  signal.watch(join(home.dir, "nowhere"));
  await signal.wait(forever);
  await signal.wait(forever); // the safety net
  signal.close();
});

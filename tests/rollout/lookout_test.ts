import { strict as assert } from "node:assert";
import { Follower } from "../../rollout/follow.ts";
import { lookUntil } from "../../rollout/lookout.ts";
import { within } from "../support/deadline.ts";
import { captured, CodexHome } from "./rollouts.ts";

const forever = new AbortController().signal;

Deno.test("lookUntil looks at once, and again until it has seen", async () => {
  let looks = 0;
  await lookUntil(() => ++looks === 1, () => 1e9, forever);
  assert.equal(looks, 1);
  await lookUntil(() => ++looks === 8, () => 4, forever);
  assert.equal(looks, 8);
});

Deno.test("lookUntil ends with its signal, without another look", async () => {
  const controller = new AbortController();
  let looks = 0;
  const waiting = lookUntil(() => ++looks < 0, () => 1e9, controller.signal);
  controller.abort();
  await within(waiting, "the end that the signal asked for");
  assert.equal(looks, 1);
  await lookUntil(() => ++looks < 0, () => 1e9, controller.signal);
  assert.equal(looks, 1);
});

Deno.test("64 turns at once are each woken by their own rollout", async () => {
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
    await Promise.all(followers.map(async (follower, i) => {
      const calls: string[] = [];
      Deno.writeTextFileSync(follower.path ?? "", text.slice(text.indexOf("\n") + 1), {
        append: true,
      });
      while (calls.length === 0) {
        await within(follower.changed(forever), `news of ${ids[i]}`);
        calls.push(...follower.drain().flatMap((event) => event.type === "call" ? [event.id] : []));
      }
      assert.deepEqual(calls, ["call_sh1"], ids[i]);
    }));
  } finally {
    for (const follower of followers) follower.close();
  }
});

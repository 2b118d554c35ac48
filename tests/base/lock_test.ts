import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { isLocked, lockExisting, lockWithin, noWaitLeftBehind, withLock } from "../../base/lock.ts";
import { pause } from "../../base/timer.ts";

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await work(join(folder, "lock"));
    await noWaitLeftBehind();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("lockWithin has the lock to itself, and gives up in time", () =>
  inFolder(async (path) => {
    {
      using held = await lockWithin(path, 1000);
      assert.ok(held);
      assert.equal(await lockWithin(path, 20), undefined);
      assert.equal(await lockWithin(path, 20), undefined, "also when a wait was left behind");
    }
    using again = await lockWithin(path, 10_000);
    assert.ok(again);
  }));

Deno.test("withLock lets one in after the other, and says whose lock was not to be had", () =>
  inFolder(async (path) => {
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} in`);
      await pause(5);
      order.push(`${name} out`);
    };
    await Promise.all(["a", "b"].map((name) => withLock(path, 10_000, work(name))));
    assert.deepEqual(order, ["a in", "a out", "b in", "b out"]);
    await withLock(path, 1000, async () => {
      await assert.rejects(withLock(path, 10, work("c")), /^Error: Cannot lock .*lock: it is held/);
    });
    assert.equal(order.length, 4);
  }));

Deno.test("lockExisting makes no file", () =>
  inFolder(async (path) => {
    await assert.rejects(lockExisting(path, 10), Deno.errors.NotFound);
  }));

Deno.test("isLocked tells a held lock from a free one, and needs no file", () =>
  inFolder(async (path) => {
    assert.equal(await isLocked(path), false);
    {
      using held = await lockWithin(path, 1000);
      assert.ok(held);
      assert.equal(await isLocked(path), true);
    }
    assert.equal(await isLocked(path), false);
  }));

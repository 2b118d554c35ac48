/** What stays in the state directory, by a clock that is told the time. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { forgetThread, removeOld, tidy } from "../../../rollout/state/keep.ts";
import { SESSION_FILE, StateStore, writeSessionFile } from "../../../rollout/state/state.ts";
import { FaultyDisk } from "../faulty_disk.ts";
import { CodexHome } from "../rollouts.ts";

const DAY_MS = 86_400_000;
const KEEP_DAYS = 90;
const usageTotal = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
};

/** The thread id of agent number `n`, born in 2026. */
const threadOf = (n: number): string =>
  `01a20339-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;

/** A profile whose agents each have a workspace and a session. */
class World {
  readonly home = new CodexHome();
  /** Homes that agents have of their own. */
  readonly homes = new Map<string, string>();
  readonly stateDir = join(this.home.dir, "state");
  readonly warnings: string[] = [];
  readonly store = this.start();

  /** As a plugin that starts now. */
  start(): StateStore {
    const onWarning = (message: string) => void this.warnings.push(message);
    return new StateStore(this.stateDir, { onWarning, disk: new FaultyDisk() });
  }

  workspace(n: number): string {
    return join(this.home.dir, "workspaces", String(n));
  }

  /** A turn of agent `n`, now. */
  async turn(n: number): Promise<string> {
    const threadId = threadOf(n);
    const rolloutPath = this.home.path(threadId);
    Deno.mkdirSync(this.workspace(n), { recursive: true });
    Deno.writeTextFileSync(
      rolloutPath,
      `{"type":"session_meta","payload":{"id":"${threadId}"}}\n`,
    );
    await this.store.save(`agent-${n}`, this.workspace(n), {
      threadId,
      rolloutPath,
      endOffset: 0,
      usageTotal,
    });
    Deno.writeTextFileSync(this.store.threadFile(threadId, "calls"), "index");
    return rolloutPath;
  }

  /** Lets so many days pass for all that is in the state directory. */
  age(days: number): void {
    for (const name of this.names) {
      const path = join(this.stateDir, name);
      const at = new Date((Deno.statSync(path).mtime?.getTime() ?? 0) - days * DAY_MS);
      Deno.utimeSync(path, at, at);
    }
  }

  /** Files of the state directory. */
  get names(): string[] {
    return [...Deno.readDirSync(this.stateDir)].map(({ name }) => name)
      .filter((name) => name !== ".lock").sort();
  }

  tidy(laterDays = 0): ReturnType<typeof tidy> {
    const now = Date.now() + laterDays * DAY_MS;
    const codexHomeOf = (agentId: string) => this.homes.get(agentId) ?? this.home.dir;
    return tidy(this.start(), { codexHomeOf, keepMs: KEEP_DAYS * DAY_MS, now });
  }

  [Symbol.dispose](): void {
    this.home[Symbol.dispose]();
  }
}

Deno.test("tidy keeps a thread that can be used, however old, and only lets its index go", async () => {
  using world = new World();
  await world.turn(1);
  world.age(1000);
  assert.deepEqual(await world.tidy(), { threads: 0, files: 1 });
  assert.equal(world.store.load("agent-1", world.workspace(1))?.threadId, threadOf(1));
});

Deno.test("tidy forgets a thread without its rollout or its workspace, once it is old", async () => {
  using world = new World();
  Deno.removeSync(await world.turn(1));
  await world.turn(2);
  Deno.removeSync(world.workspace(2), { recursive: true });
  assert.deepEqual(await world.tidy(KEEP_DAYS - 1), { threads: 0, files: 0 });
  assert.deepEqual(await world.tidy(KEEP_DAYS + 1), { threads: 2, files: 2 });
  assert.deepEqual(world.names, []);
});

Deno.test("tidy judges no thread while codex's home is not there", async () => {
  using world = new World();
  await world.turn(1);
  world.age(1000);
  Deno.renameSync(join(world.home.dir, "sessions"), join(world.home.dir, "unmounted"));
  await world.tidy();
  assert.equal(world.store.list().length, 1);
});

Deno.test("tidy looks for an agent's rollout in that agent's home, and in the one where it was last", async () => {
  using world = new World();
  using own = new CodexHome();
  const path = await world.turn(1);
  const compressed = `${own.path(threadOf(1))}.zst`;
  Deno.renameSync(path, compressed);
  world.homes.set("agent-1", own.dir);
  world.age(1000);
  await world.tidy();
  assert.equal(world.store.list().length, 1);

  const state = {
    threadId: threadOf(1),
    rolloutPath: own.path(threadOf(1)),
    endOffset: 0,
    usageTotal,
  };
  await world.store.save("agent-1", world.workspace(1), state);
  world.homes.clear();
  world.age(1000);
  await world.tidy();
  assert.equal(world.store.list().length, 1);
  Deno.removeSync(compressed);
  assert.deepEqual(await world.tidy(), { threads: 1, files: 0 });
});

Deno.test("tidy keeps a thread whose rollout is refused: it may be repaired", async () => {
  using world = new World();
  Deno.writeTextFileSync(await world.turn(1), "no session\n");
  world.age(1000);
  await world.tidy();
  assert.equal(world.store.list().length, 1);
});

Deno.test("tidy keeps what is to be consumed for as long as its thread is remembered", async () => {
  using world = new World();
  const path = await world.turn(1);
  Deno.renameSync(path, `${path}.zst`);
  const pending = world.store.threadFile(threadOf(1), "pending");
  Deno.writeTextFileSync(pending, "{}");
  world.age(1000);
  await world.tidy();
  assert.ok(Deno.statSync(pending).isFile);
  assert.deepEqual(world.warnings, []);
  Deno.removeSync(`${path}.zst`);
  assert.deepEqual(await world.tidy(), { threads: 1, files: 1 });
  assert.match(world.warnings.join(), /Gave up what was to be consumed/);
});

Deno.test("tidy removes what was set aside and what could not be done, once it is old, and says so", async () => {
  using world = new World();
  const names = ["a.json.broken", "b.journal.refused", "c.pending", "d.journal"];
  for (const name of names) Deno.writeTextFileSync(join(world.stateDir, name), "{");
  Deno.writeTextFileSync(join(world.stateDir, "stats.json"), "{}");
  await world.tidy(KEEP_DAYS - 1);
  assert.equal(world.names.length, 5);
  assert.deepEqual(await world.tidy(KEEP_DAYS + 1), { threads: 0, files: 4 });
  assert.deepEqual(world.names, ["stats.json"]);
  assert.equal(world.warnings.length, 2);
  assert.match(world.warnings.join(), /Gave up what was to be consumed: .*c\.pending/);
});

Deno.test("state of 2,000 agents that come and go stays bounded over many restarts", async () => {
  using world = new World();
  const sizes: number[] = [];
  const times: number[] = [];
  // 50 come and 50 go between two restarts, one a month; an agent stays for three.
  for (let restart = 0; restart < 40; restart++) {
    for (let n = restart * 50; n < (restart + 1) * 50; n++) await world.turn(n);
    const gone = restart - 2;
    for (let n = gone * 50; gone >= 0 && n < (gone + 1) * 50; n++) {
      Deno.removeSync(world.workspace(n), { recursive: true });
    }
    world.age(30);
    const began = performance.now();
    await world.tidy();
    times.push(performance.now() - began);
    sizes.push(world.names.length);
  }
  assert.equal(sizes.slice(10).every((size) => size <= 700), true, sizes.join());
  assert.ok(Math.max(...times) < 2000, times.map(Math.round).join());
  assert.deepEqual(world.warnings, []);
});

Deno.test("forgetThread leaves what is to be consumed to whoever can do it", async () => {
  using world = new World();
  await world.turn(1);
  const files = (["pending", "journal"] as const)
    .map((kind) => world.store.threadFile(threadOf(1), kind));
  for (const path of files) Deno.writeTextFileSync(path, "{}");
  await forgetThread(world.store, "agent-1", world.workspace(1));
  assert.ok(files.every((path) => Deno.statSync(path).isFile));
});

Deno.test("forgetThread forgets one agent's thread, also in the workspace, and no other's", async () => {
  using world = new World();
  const path = await world.turn(1);
  await world.turn(2);
  writeSessionFile(world.workspace(1), threadOf(1));
  assert.equal(await forgetThread(world.store, "agent-1", world.workspace(1)), true);
  assert.equal(await forgetThread(world.store, "agent-1", world.workspace(1)), false);
  assert.deepEqual(world.store.list().map(({ agentId }) => agentId), ["agent-2"]);
  assert.deepEqual([...Deno.readDirSync(world.workspace(1))], []);
  assert.ok(Deno.statSync(path).isFile, "codex keeps its session");
  assert.equal(world.names.some((name) => name.startsWith(threadOf(1))), false);

  writeSessionFile(world.workspace(2), threadOf(1));
  await forgetThread(world.store, "agent-2", world.workspace(2));
  assert.ok(
    Deno.statSync(join(world.workspace(2), SESSION_FILE)).isFile,
    "it names another thread",
  );
});

Deno.test("removeOld keeps the newest backup, whatever its age", () => {
  using home = new CodexHome();
  const names = ["1", "2", "3"].map((stamp) => `plexum.json.${stamp}.bak`);
  names.forEach((name, i) => {
    const path = join(home.dir, name);
    Deno.writeTextFileSync(path, "{}");
    const at = new Date(Date.now() - (300 - i) * DAY_MS);
    Deno.utimeSync(path, at, at);
  });
  Deno.writeTextFileSync(join(home.dir, "plexum.json"), "{}");
  const options = { keepMs: 90 * DAY_MS, now: Date.now() };
  assert.equal(removeOld(home.dir, /^plexum\.json\..+\.bak$/, options), 2);
  const left = [...Deno.readDirSync(home.dir)].map(({ name }) => name).sort();
  assert.deepEqual(left, ["plexum.json", "plexum.json.3.bak"]);
});

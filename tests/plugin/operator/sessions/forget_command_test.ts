/** Forgetting threads, by the executable, on sessions that no codex is needed for. */
import { strict as assert } from "node:assert";
import { dirname, join } from "@std/path";
import { lockExisting } from "../../../../base/lock.ts";
import { mutate } from "../../../../rollout/consume/consume.ts";
import { writerLockPath } from "../../../../rollout/rollout_file.ts";
import { StateStore } from "../../../../rollout/state/state.ts";
import { line, rolloutOf, THREAD } from "../../../rollout/thread_on_disk.ts";
import { Folder, type Ran, run } from "../command_line.ts";

const DAY_MS = 86_400_000;
const LINES = [line.meta(), line.call("call_a", "{}"), line.output("call_a", "y".repeat(500))];

/** A profile whose agent `cx` has a thread in a workspace. */
class World extends Folder {
  readonly home = this.at("codex");
  readonly workspace = this.at("workspace");
  readonly rollout = join(
    this.home,
    "sessions/2026/11/22",
    `rollout-2026-11-22T12-28-35-${THREAD}.jsonl`,
  );
  readonly stateDir = this.at("profile", "plugins", "plexum-openai-provider", "state");
  readonly pending = join(this.stateDir, `${THREAD}.pending`);
  readonly store: StateStore;

  private constructor() {
    super();
    this.store = new StateStore(this.stateDir);
  }

  static async create(): Promise<World> {
    const world = new World();
    Deno.mkdirSync(world.workspace);
    Deno.mkdirSync(dirname(world.rollout), { recursive: true });
    Deno.writeFileSync(world.rollout, rolloutOf(LINES));
    const usageTotal = {
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningOutputTokens: 0,
    };
    const { rollout: rolloutPath } = world;
    const state = { threadId: THREAD, rolloutPath, endOffset: 0, usageTotal };
    await world.store.save("cx", world.workspace, state);
    return world;
  }

  /** As codex does with a session that was not used for a while; what is in it does not matter here. */
  compress(): void {
    Deno.renameSync(this.rollout, `${this.rollout}.zst`);
  }

  /** A host asks for a consume that has to wait. */
  async promise(): Promise<void> {
    const { store, home: codexHome, workspace } = this;
    const asked = [{ blockId: "call_a", op: "consume-light" }];
    await mutate({ store, codexHome, agentId: "cx", workspace }, asked, { busy: true });
    assert.ok(Deno.statSync(this.pending).isFile);
  }

  sessions(args: readonly string[], codexHome = this.home): Promise<Ran> {
    const env = { PLEXUM_PROFILE_ROOT: this.at("profile"), CODEX_HOME: codexHome };
    return run(["sessions", ...args], { env: { ...env, HOME: this.path } });
  }

  get remembered(): number {
    return this.store.list().length;
  }
}

const UNUSABLE: Readonly<Record<string, (world: World) => void>> = {
  "codex has compressed": (world) => world.compress(),
  "is refused": (world) => Deno.writeTextFileSync(world.rollout, "no session\n"),
  "is in a home that is not mounted": (world) => Deno.renameSync(world.home, world.at("unmounted")),
};

for (const [what, change] of Object.entries(UNUSABLE)) {
  Deno.test(`sessions prune keeps a thread whose session file ${what}`, async () => {
    using world = await World.create();
    change(world);
    const ran = await world.sessions(["prune"]);
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, "Forgot 0 threads.\n", ""]);
    assert.equal(world.remembered, 1);
  });
}

Deno.test("sessions prune, run with another CODEX_HOME, keeps what lies compressed where it was last", async () => {
  using world = await World.create();
  world.compress();
  const other = world.at("other");
  Deno.mkdirSync(join(other, "sessions"), { recursive: true });
  assert.equal((await world.sessions(["prune"], other)).stdout, "Forgot 0 threads.\n");
  Deno.renameSync(world.home, world.at("unmounted"));
  assert.equal((await world.sessions(["prune"], other)).stdout, "Forgot 0 threads.\n");
  assert.equal(world.remembered, 1);
});

Deno.test("sessions prune forgets the thread whose session file is missing", async () => {
  using world = await World.create();
  Deno.removeSync(world.rollout);
  const ran = await world.sessions(["prune"]);
  assert.match(
    ran.stdout,
    /workspace\): its session file is not below .*codex\nForgot 1 thread\.\n/,
  );
  assert.equal(world.remembered, 0);
});

Deno.test("sessions prune --older-than counts the days of a compressed session, too", async () => {
  using world = await World.create();
  world.compress();
  const used = new Date(Date.now() - 10.5 * DAY_MS);
  Deno.utimeSync(`${world.rollout}.zst`, used, used);
  assert.match((await world.sessions(["prune", "--older-than", "11"])).stdout, /^Forgot 0 threads/);
  const ran = await world.sessions(["prune", "--older-than", "9"]);
  assert.match(ran.stdout, /: it was not used for 10 days\nForgot 1 thread\.\n$/);
});

Deno.test("sessions prune keeps every thread that a consume was promised for, and says why", async () => {
  using world = await World.create();
  await world.promise();
  const used = new Date(Date.now() - 10.5 * DAY_MS);
  Deno.utimeSync(world.rollout, used, used);
  const old = await world.sessions(["prune", "--older-than", "9"]);
  assert.match(
    old.stdout,
    /: kept, although it was not used for 10 days: 1 consume waits\nForgot 0 threads\.\n$/,
  );
  Deno.removeSync(world.rollout);
  const lost = await world.sessions(["prune"]);
  assert.match(
    lost.stdout,
    /: kept, although its session file is not .*: 1 consume waits\nForgot 0/,
  );
  Deno.renameSync(world.pending, join(world.stateDir, `${THREAD}.journal`));
  const begun = await world.sessions(["prune"]);
  assert.match(begun.stdout, /: a consume was interrupted\nForgot 0/);
  assert.equal(world.remembered, 1);
});

Deno.test("sessions forget does first what was to be consumed", async () => {
  using world = await World.create();
  await world.promise();
  const ran = await world.sessions(["forget", "cx"]);
  assert.deepEqual([ran.code, ran.stderr], [0, ""]);
  assert.match(Deno.readTextFileSync(world.rollout), /"output":"\.\.\.\(consumed\)"/);
  assert.equal(world.remembered, 0);
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  "codex has compressed":
    /codex has compressed the session: the agent's next turn there unpacks it/,
  "is refused": /the session cannot be used: .*\.jsonl: .*\. Repair that/,
  "is in a home that is not mounted": /codex's home is not there, .*codex .*: mount it/,
};

for (const [what, why] of Object.entries(REFUSED)) {
  Deno.test(`sessions forget drops no consume of a session that ${what}: it says how to go on`, async () => {
    using world = await World.create();
    await world.promise();
    const promised = Deno.readTextFileSync(world.pending);
    UNUSABLE[what]?.(world);
    for (const args of [["--dry-run"], []]) {
      const ran = await world.sessions(["forget", "cx", ...args]);
      assert.deepEqual([ran.code, ran.stdout], [1, ""]);
      assert.match(ran.stderr, /^Cannot forget [0-9a-f-]{36}: 1 consume waits, and /);
      assert.match(ran.stderr, why);
      assert.ok(ran.stderr.endsWith(` To give up what waits instead, remove ${world.pending}.\n`));
    }
    assert.equal(world.remembered, 1);
    assert.equal(Deno.readTextFileSync(world.pending), promised);
    Deno.removeSync(world.pending);
    assert.match((await world.sessions(["forget", "cx"])).stdout, /^Forgot /);
  });
}

Deno.test("sessions forget leaves a thread alone that somebody has open: its turn would remember it", async () => {
  using world = await World.create();
  const path = writerLockPath(world.home, THREAD);
  Deno.mkdirSync(dirname(path));
  Deno.writeTextFileSync(path, "");
  {
    using held = await lockExisting(path, 1000);
    assert.ok(held);
    const ran = await world.sessions(["forget", "cx"]);
    assert.deepEqual([ran.code, ran.stdout], [1, ""]);
    assert.match(ran.stderr, /^Cannot forget [0-9a-f-]{36}: a codex still has it loaded .*turn/);
  }
  assert.equal(world.remembered, 1);
  assert.match((await world.sessions(["forget", "cx"])).stdout, /^Forgot /);
});

Deno.test("sessions forget gives up, and says so, what can be consumed nowhere any more", async () => {
  using world = await World.create();
  await world.promise();
  Deno.removeSync(world.rollout);
  const ran = await world.sessions(["forget", "cx"]);
  assert.match(ran.stdout, /^Forgot /);
  assert.equal(ran.stderr, `Gave up what was to be consumed: ${world.pending}\n`);
  assert.equal(world.remembered, 0);
});

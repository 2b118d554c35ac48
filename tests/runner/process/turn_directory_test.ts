import { strict as assert } from "node:assert";
import { dirname, join } from "@std/path";
import { noWaitLeftBehind } from "../../../base/lock.ts";
import { killFamily } from "../../../runner/process/process_family.ts";
import { processRow } from "../../../runner/process/process_table.ts";
import {
  LOCK_FILE,
  staleTurns,
  sweepTurns,
  TurnDirectory,
} from "../../../runner/process/turn_directory.ts";
import { markedCommand, newMark, TURN_MARK } from "../../../runner/process/turn_mark.ts";
import { namesIn } from "../rig.ts";

Deno.test("a turn's directory has a name without a comma where that can be, as long as the turn", async () => {
  const root = await Deno.makeTempDir();
  try {
    const places = [undefined, join(root, "a,b"), join(root, "missing"), root];
    let link: string;
    {
      using directory = await TurnDirectory.create(join(root, "p,q"));
      directory.write("image-1.png", "x");
      link = directory.link(places);
      assert.equal(dirname(link), root);
      assert.equal(Deno.readTextFileSync(join(link, "image-1.png")), "x");
    }
    assert.throws(() => Deno.lstatSync(link), Deno.errors.NotFound);
    using other = await TurnDirectory.create(join(root, "p,q"));
    assert.throws(() => other.link(["", join(root, "missing")]), /without a comma in/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

class Running {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync());

  /** A turn whose plugin is no more: nobody holds its lock. */
  orphaned(): { path: string; mark: string } {
    const mark = newMark();
    const path = join(this.dir, mark);
    Deno.mkdirSync(path, { mode: 0o700 });
    Deno.writeTextFileSync(join(path, LOCK_FILE), "");
    return { path, mark };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** A process of the turn that nobody waits for; returns its pid. */
async function sleeper(mark: string, env: Record<string, string>): Promise<number> {
  const script = "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!";
  const { path, args } = markedCommand("/bin/sh", ["-c", script], mark);
  const { stdout } = await new Deno.Command(path, {
    args,
    env: { PATH: "/usr/bin:/bin", ...env },
    clearEnv: true,
  }).output();
  return Number(new TextDecoder().decode(stdout));
}

const record = (path: string, rows: unknown): void =>
  Deno.writeTextFileSync(join(path, "family.json"), JSON.stringify(rows));

Deno.test("sweepTurns ends what a killed plugin left, and removes its files", async () => {
  using running = new Running();
  const turns = [running.orphaned(), running.orphaned()];
  Deno.writeTextFileSync(join(turns[0]?.path ?? "", "image-0.png"), "x");
  const pids = [];
  for (const { mark } of turns) pids.push(await sleeper(mark, { [TURN_MARK]: mark }));
  const stale = await staleTurns(running.dir);
  assert.deepEqual(stale.flatMap(({ family }) => family.map(({ pid }) => pid)).sort(), pids.sort());
  assert.deepEqual(await sweepTurns(running.dir), { turns: 2, survivors: [] });
  for (const pid of pids) assert.equal(await processRow(pid), undefined);
  assert.deepEqual(namesIn(running.dir), []);
});

Deno.test("sweepTurns goes by the recorded family where a process carries no mark", async () => {
  using running = new Running();
  const turn = running.orphaned();
  const unmarked = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  record(turn.path, [await processRow(unmarked.pid)]);
  assert.equal((await sweepTurns(running.dir)).turns, 1);
  assert.equal((await unmarked.status).signal, "SIGKILL");
});

Deno.test("sweepTurns leaves a process alone that only has a recorded pid", async () => {
  using running = new Running();
  const turn = running.orphaned();
  const stranger = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  record(turn.path, [{ ...await processRow(stranger.pid), start: "in another life" }]);
  assert.equal((await sweepTurns(running.dir)).turns, 1);
  assert.ok(await processRow(stranger.pid));
  stranger.kill("SIGKILL");
  await stranger.status;
});

Deno.test("sweepTurns leaves the turns of a living plugin alone, and only looks at the lock to know", async () => {
  using running = new Running();
  {
    using turn = await TurnDirectory.create(running.dir);
    const pid = await sleeper(turn.mark, { [TURN_MARK]: turn.mark });
    Deno.utimeSync(turn.path, 0, 0);
    assert.deepEqual(namesIn(turn.path), [LOCK_FILE], "no pid says whose it is");
    assert.deepEqual(await sweepTurns(running.dir), { turns: 0, survivors: [] });
    assert.deepEqual(await staleTurns(running.dir), []);
    assert.ok(await processRow(pid));
    assert.deepEqual(namesIn(running.dir), [turn.mark]);
    await killFamily([], turn.mark);
  }
  assert.deepEqual(namesIn(running.dir), []);
  await noWaitLeftBehind();
});

Deno.test("sweepTurns leaves a directory alone that is just being made, and removes an old one", async () => {
  using running = new Running();
  const made = ["", "."].flatMap((dot) =>
    [newMark(), newMark()].map((mark) => join(running.dir, dot + mark))
  );
  for (const path of made) Deno.mkdirSync(path);
  const old = made.filter((_, n) => n % 2 === 0);
  for (const path of old) Deno.utimeSync(path, 0, 0);
  assert.equal((await sweepTurns(running.dir)).turns, 2);
  const young = made.filter((path) => !old.includes(path));
  assert.deepEqual(
    namesIn(running.dir).map((name) => join(running.dir, name)).sort(),
    young.sort(),
  );
});

Deno.test("sweepTurns touches nothing that is not a turn's, and minds no missing directory", async () => {
  using running = new Running();
  Deno.mkdirSync(join(running.dir, "somebody's"));
  Deno.writeTextFileSync(join(running.dir, "a file"), "");
  assert.deepEqual(await sweepTurns(running.dir), { turns: 0, survivors: [] });
  assert.deepEqual(namesIn(running.dir), ["a file", "somebody's"]);
  assert.deepEqual(await sweepTurns(join(running.dir, "missing")), { turns: 0, survivors: [] });
});

Deno.test("sweepTurns takes a broken record for none", async () => {
  using running = new Running();
  const turn = running.orphaned();
  Deno.writeTextFileSync(join(turn.path, "family.json"), '[{"pid":');
  assert.equal((await sweepTurns(running.dir)).turns, 1);
});

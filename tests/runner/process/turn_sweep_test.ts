import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ownProcess, processRow } from "../../../runner/process/process_table.ts";
import { killFamily } from "../../../runner/process/process_family.ts";
import { CODEX_FILE, PLUGIN_FILE, TurnDirectory } from "../../../runner/process/turn_directory.ts";
import { markedCommand, TURN_MARK } from "../../../runner/process/turn_mark.ts";
import { sweepTurns } from "../../../runner/process/turn_sweep.ts";
import { namesIn } from "../rig.ts";

class Running {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync());

  /** A turn whose plugin is no more. */
  async orphaned(): Promise<TurnDirectory> {
    const directory = await TurnDirectory.create(this.dir);
    const own = await ownProcess();
    const dead = { ...own, start: "in another life" };
    Deno.writeTextFileSync(join(directory.path, PLUGIN_FILE), JSON.stringify(dead));
    return directory;
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

Deno.test("sweepTurns ends what a killed plugin left, and removes its files", async () => {
  using running = new Running();
  const turns = [await running.orphaned(), await running.orphaned()];
  turns[0]?.write("image-0.png", "x");
  const pids = [];
  for (const { mark } of turns) pids.push(await sleeper(mark, { [TURN_MARK]: mark }));
  assert.deepEqual(await sweepTurns(running.dir), { turns: 2, survivors: [] });
  for (const pid of pids) assert.equal(await processRow(pid), undefined);
  assert.deepEqual(namesIn(running.dir), []);
});

Deno.test("sweepTurns goes by the recorded codex where a process carries no mark", async () => {
  using running = new Running();
  const turn = await running.orphaned();
  const unmarked = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  await turn.recordCodex(unmarked.pid);
  assert.equal((await sweepTurns(running.dir)).turns, 1);
  assert.equal((await unmarked.status).signal, "SIGKILL");
});

Deno.test("sweepTurns leaves a process alone that only has the pid of the recorded codex", async () => {
  using running = new Running();
  const turn = await running.orphaned();
  const stranger = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  const row = { ...await processRow(stranger.pid), start: "in another life" };
  turn.write(CODEX_FILE, JSON.stringify(row));
  assert.equal((await sweepTurns(running.dir)).turns, 1);
  assert.ok(await processRow(stranger.pid));
  stranger.kill("SIGKILL");
  await stranger.status;
});

Deno.test("sweepTurns leaves the turns of a living plugin alone", async () => {
  using running = new Running();
  using turn = await TurnDirectory.create(running.dir);
  const pid = await sleeper(turn.mark, { [TURN_MARK]: turn.mark });
  assert.deepEqual(await sweepTurns(running.dir), { turns: 0, survivors: [] });
  assert.ok(await processRow(pid));
  assert.deepEqual(namesIn(running.dir), [turn.mark]);
  await killFamily([], turn.mark);
});

Deno.test("sweepTurns leaves a directory alone that is just being made, and removes an old one", async () => {
  using running = new Running();
  const [young, old] = [await running.orphaned(), await running.orphaned()];
  for (const { path } of [young, old]) Deno.removeSync(join(path, PLUGIN_FILE));
  Deno.utimeSync(old.path, 0, 0);
  assert.equal((await sweepTurns(running.dir)).turns, 1);
  assert.deepEqual(namesIn(running.dir), [young.mark]);
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
  const turn = await running.orphaned();
  Deno.writeTextFileSync(join(turn.path, PLUGIN_FILE), '{"pid":');
  assert.equal((await sweepTurns(running.dir)).turns, 0, "it is young");
  Deno.utimeSync(turn.path, 0, 0);
  assert.equal((await sweepTurns(running.dir)).turns, 1);
});

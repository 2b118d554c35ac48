import { strict as assert } from "node:assert";
import { classifyFailure } from "../../../runner/failure/failure.ts";
import { familyOf, killFamily, livingFamily } from "../../../runner/process/process_family.ts";
import {
  markedProcesses,
  type ProcessRow,
  processRow,
} from "../../../runner/process/process_table.ts";
import { limitOf, markedCommand, newMark, TURN_MARK } from "../../../runner/process/turn_mark.ts";
import { processRows } from "../rows.ts";

const pids = (rows: ProcessRow[]) => rows.map(({ pid }) => pid).sort((a, b) => a - b);

Deno.test("familyOf is a process, what descends from it, and the rest of its group", () => {
  const table = processRows([
    [1, 0, 1],
    [10, 1, 10], // codex
    [13, 12, 99], // listed before its parent
    [11, 10, 10],
    [12, 11, 12],
    [14, 1, 10], // left by a parent that is gone, but in the group
    [20, 1, 20],
    [21, 20, 20],
  ]);
  assert.deepEqual(pids(familyOf(10, table)), [10, 11, 12, 13, 14]);
  assert.deepEqual(familyOf(77, table), []);
});

Deno.test("livingFamily goes by pid and start time, not by pid alone", () => {
  const table = processRows([[10, 1, 10], [11, 1, 11], [12, 11, 11], [30, 1, 30]]);
  const known = [
    { pid: 10, ppid: 1, pgid: 10, start: "another life" },
    ...processRows([[11, 10, 10]]),
  ];
  assert.deepEqual(pids(livingFamily(known, new Set(), table)), [11, 12]);
  assert.deepEqual(pids(livingFamily([], new Set([30]), table)), [30]);
  assert.deepEqual(livingFamily(known, new Set(), []), []);
});

Deno.test("livingFamily never includes ourselves", () => {
  const table = processRows([[Deno.pid, 1, 10], [11, 10, 10]]);
  assert.deepEqual(pids(livingFamily([], new Set([11, Deno.pid]), table)), [11]);
});

/** Starts a marked shell; resolves with the pids it printed. */
async function started(mark: string, script: string): Promise<number[]> {
  const { path, args } = markedCommand("/bin/sh", ["-c", script], mark);
  const { stdout } = await new Deno.Command(path, {
    args,
    env: { ...Deno.env.toObject(), [TURN_MARK]: mark },
    clearEnv: true,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
}

Deno.test("the mark finds what was double-forked into a session of its own with an empty environment", async () => {
  const mark = newMark();
  const hide = "setsid env -i /bin/sh -c 'cd /; echo $$; exec sleep 1000' 2>/dev/null </dev/null";
  // The sleeper must not hold the pipe that the pid comes through.
  const script = `( ( ${hide.replace("exec sleep", "exec >/dev/null; exec sleep")} ) & )`;
  const [hidden] = await started(mark, script);
  assert.ok(hidden !== undefined);
  const row = await processRow(hidden);
  assert.notEqual(row?.ppid, Deno.pid);
  if (Deno.build.os === "linux") assert.deepEqual([...await markedProcesses(mark)], [hidden]);
  assert.deepEqual(await killFamily(row ? [row] : [], mark), []);
  assert.equal(await processRow(hidden), undefined);
});

Deno.test("killFamily ends what ignores signals, and leaves others alone", async () => {
  const [mark, other] = [newMark(), newMark()];
  const sleeper = "trap '' INT TERM HUP; setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!";
  const [doomed] = await started(mark, sleeper);
  const [spared] = await started(other, sleeper);
  assert.ok(doomed !== undefined && spared !== undefined);
  assert.deepEqual(await killFamily([], mark), []);
  assert.equal(await processRow(doomed), undefined);
  assert.ok(await processRow(spared));
  assert.deepEqual(await killFamily([], other), []);
});

Deno.test("limitOf gives each mark a number of its own that a kernel takes", () => {
  const limits = Array.from({ length: 1000 }, () => limitOf(newMark()));
  assert.equal(new Set(limits).size, 1000);
  for (const limit of limits) {
    assert.match(limit, /^\d{18}$/);
    assert.ok(BigInt(limit) < 2n ** 63n);
  }
});

Deno.test({
  name: "a marked command becomes the program, in a session and group of its own",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const tell = 'read -r pid _ _ _ pgid sid _ < /proc/self/stat; echo "$pid $pgid $sid $1"';
    const { path, args, detached } = markedCommand("/bin/sh", ["-c", tell, "sh", "x y"], newMark());
    const child = new Deno.Command(path, { args, detached, stdin: "null", stdout: "piped" })
      .spawn();
    const { stdout } = await child.output();
    assert.equal(
      new TextDecoder().decode(stdout),
      `${child.pid} ${child.pid} ${child.pid} x y\n`,
    );
  },
});

Deno.test({
  name: "a codex that cannot be run is missing, although prlimit stands in front of it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { path, args } = markedCommand("/nowhere/codex", ["exec"], newMark());
    assert.notEqual(path, "/nowhere/codex", "this machine has prlimit");
    const { code, stderr } = await new Deno.Command(path, { args, stdin: "null" }).output();
    const failure = classifyFailure({ stderr: new TextDecoder().decode(stderr), exitCode: code });
    assert.equal(failure.kind, "codex_missing");
    assert.match(failure.message, /\/nowhere\/codex/);
  },
});

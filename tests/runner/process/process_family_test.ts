import { strict as assert } from "node:assert";
import { pause } from "../../../base/timer.ts";
import { classifyFailure } from "../../../runner/failure/failure.ts";
import {
  familyOf,
  killFamily,
  livingFamily,
  ProcessFamily,
  sendSignal,
} from "../../../runner/process/process_family.ts";
import {
  look,
  markedProcesses,
  type ProcessRow,
  processRow,
} from "../../../runner/process/process_table.ts";
import {
  limitOf,
  markedCommand,
  marksByLimit,
  newMark,
  TURN_MARK,
} from "../../../runner/process/turn_mark.ts";
import { noProcessUnder, processesUnder } from "../../support/processes.ts";
import { skipped } from "../../support/skipped.ts";
import { started } from "../marked_shell.ts";
import { processRows } from "../rows.ts";

const marksLimits = marksByLimit();
const NO_LIMIT = "no process can be marked by a limit: there is no prlimit here";

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
    { pid: 10, ppid: 1, pgid: 10, start: "another life", command: "" },
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

Deno.test("a look that was broken off makes nobody dead whom it did not come to", async () => {
  const told: number[][] = [];
  const [codex, daemon, born] = processRows([[70, 1, 70], [71, 1, 71], [72, 70, 70]]);
  assert.ok(codex && daemon && born);
  const family = new ProcessFamily(newMark(), { known: [codex, daemon] }, {
    onMembers: (rows) => told.push(pids([...rows])),
  });
  const look = { steady: false, marked: new Map(), unread: 0 };
  family.take({ ...look, table: [codex, born], complete: false });
  assert.deepEqual(told, [[70, 71, 72]], "the daemon may live");
  family.take({ ...look, table: [codex], complete: true });
  family.take({ ...look, table: [codex, daemon, born], complete: true });
  assert.deepEqual(told.at(-1), [70, 72], "whoever a whole look did not see is dead");
  await family.close();
});

Deno.test("what a spared process starts is its own, unless it bears the mark or was the turn's before", async () => {
  const mark = newMark();
  let members: number[] = [];
  const [codex, server, helper, hers, rest] = processRows([
    [70, 1, 70],
    [71, 70, 71], // an MCP server of the thread
    [72, 70, 70], // codex's own helper, born in a turn
    [73, 71, 71], // what the MCP server starts in the turn …
    [74, 73, 74], // … and that in its turn
  ]);
  const [command, bare, adopted, marked, child] = processRows([
    [80, 70, 80], // a command of the turn
    [81, 80, 81], // a child of it that took off the mark
    [81, 71, 81], // the same, if ever it could become a child of the server
    [82, 71, 82], // with the mark, it is the turn's, whoever its parent is
    [83, 72, 83], // of a spared one that bears the mark itself
  ]);
  assert.ok(codex && server && helper && hers && rest);
  assert.ok(command && bare && adopted && marked && child);
  const family = new ProcessFamily(mark, { spared: [codex, server, helper] }, {
    onMembers: (rows) => members = pids([...rows]),
  });
  const look = { complete: true, steady: true, unread: 0 };
  const resident = [codex, server, helper, hers, rest];
  const bearers = (...pids: number[]) => new Map([[mark, new Set([70, 72, ...pids])]]);
  family.take({ ...look, table: [...resident, command, bare], marked: bearers(80) });
  assert.deepEqual(members, [80, 81]);
  family.take({ ...look, table: [...resident, adopted, marked, child], marked: bearers(82) });
  assert.deepEqual(members, [81, 82, 83]);
  await family.close();
});

Deno.test("a look that does not ask for the mark finds what its bearer starts, and what that leaves behind", async () => {
  let members: number[] = [];
  const [codex, command, daemon, orphan] = processRows([
    [70, 1, 70],
    [80, 70, 80],
    [81, 80, 81], // without the mark, as long as its parent is there …
    [81, 1, 81], // … and after that
  ]);
  assert.ok(codex && command && daemon && orphan);
  const look = { complete: true, steady: true, unread: 0, marked: new Map() };
  const family = new ProcessFamily(newMark(), { spared: [codex], bearer: 70 }, {
    onMembers: (rows) => members = pids([...rows]),
  });
  family.take({ ...look, table: [codex, command, daemon] });
  assert.deepEqual(members, [80, 81]);
  family.take({ ...look, table: [codex, orphan] });
  assert.deepEqual(pids([...family.members]), [81]);
  await family.close();
});

Deno.test("the mark finds what was double-forked into a session of its own with an empty environment", async () => {
  const mark = newMark();
  const hide = "setsid env -i /bin/sh -c 'cd /; echo $$; exec sleep 1000' 2>/dev/null </dev/null";
  // The sleeper must not hold the pipe that the pid comes through.
  const script = `( ( ${hide.replace("exec sleep", "exec >/dev/null; exec sleep")} ) & )`;
  const [hidden] = await started(mark, script);
  assert.ok(hidden !== undefined);
  const row = await processRow(hidden);
  assert.notEqual(row?.ppid, Deno.pid);
  if (marksLimits) assert.deepEqual([...await markedProcesses(mark)], [hidden]);
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
  ignore: skipped(
    Deno.build.os !== "linux",
    "only Linux has /proc and limits to mark processes by",
  ),
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
  ignore: skipped(!marksLimits, NO_LIMIT),
  async fn() {
    const { path, args } = markedCommand("/nowhere/codex", ["exec"], newMark());
    assert.notEqual(path, "/nowhere/codex");
    const { code, stderr } = await new Deno.Command(path, { args, stdin: "null" }).output();
    const failure = classifyFailure({ stderr: new TextDecoder().decode(stderr), exitCode: code });
    assert.equal(failure.kind, "codex_missing");
    assert.match(failure.message, /\/nowhere\/codex/);
  },
});

/** A family in a folder of its own, with a shell as its codex. */
class Home implements AsyncDisposable {
  readonly root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "plexum-family-" }));
  readonly mark = newMark();
  readonly child: Deno.ChildProcess;
  readonly family: ProcessFamily;
  readonly members = new Set<number>();
  #seen: () => void = () => {};

  constructor(script: string) {
    const { path, args, detached } = markedCommand("/bin/sh", ["-c", script, this.root], this.mark);
    const env = { ...Deno.env.toObject(), [TURN_MARK]: this.mark };
    const options = { args, env, clearEnv: true, detached, cwd: this.root } as const;
    this.child = new Deno.Command(path, { ...options, stdin: "null" }).spawn();
    this.family = new ProcessFamily(this.mark, { root: this.child.pid }, {
      onMembers: (rows) => {
        rows.forEach(({ pid }) => this.members.add(pid));
        this.#seen();
      },
    });
    this.family.watch();
  }

  /** The number in a file of the folder, as soon as it is there. */
  async number(name: string): Promise<number> {
    for (;;) {
      try {
        const text = Deno.readTextFileSync(`${this.root}/${name}`);
        if (text.endsWith("\n")) return Number(text);
      } catch {
        // not yet
      }
      await pause(5);
    }
  }

  write(name: string): void {
    Deno.writeTextFileSync(`${this.root}/${name}`, "");
  }

  /** Resolves when a look that was taken by itself has found this pid. */
  async found(pid: number): Promise<void> {
    while (!this.members.has(pid)) await new Promise<void>((resolve) => this.#seen = resolve);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.family.signal("SIGKILL");
    await this.child.status;
    await this.family.close();
    for (const { pid } of await processesUnder(this.root)) sendSignal(pid, "SIGKILL");
    await noProcessUnder(this.root);
    Deno.removeSync(this.root, { recursive: true });
  }
}

// The shell's `$!` is the pid, as `setsid` and its likes become the next program.
const UNMARKED = "cd / && env -i prlimit --locks=7:7 setsid sleep 1000 </dev/null >/dev/null 2>&1";

Deno.test({
  name: "who took off both marks and is nobody's child any more is ended where a look had found it",
  ignore: skipped(!marksLimits, NO_LIMIT),
  async fn() {
    const parent = `(${UNMARKED} & echo $! > pid; until [ -e go ]; do sleep 0.01; done)`;
    await using home = new Home(`${parent}; echo 1 > orphaned; sleep 1000`);
    const pid = await home.number("pid");
    while ((await processRow(pid))?.command !== "sleep") await pause(5);
    await home.found(pid);
    home.write("go");
    await home.number("orphaned");
    home.child.kill("SIGKILL");
    await home.child.status;
    assert.ok(await processRow(pid));
    assert.deepEqual(await home.family.end(), []);
    assert.equal(await processRow(pid), undefined);
  },
});

Deno.test({
  name:
    "who took off both marks and was nobody's child before any look escapes (docs/limitations.md)",
  ignore: skipped(!marksLimits, NO_LIMIT),
  async fn() {
    const mark = newMark();
    const [pid] = await started(mark, `(${UNMARKED} & echo $!)`);
    assert.ok(pid !== undefined);
    while ((await processRow(pid))?.command !== "sleep") await pause(5);
    assert.deepEqual(await killFamily([], mark), []);
    assert.ok(await processRow(pid), "nothing tells any more whose it is");
    sendSignal(pid, "SIGKILL");
  },
});

for (
  const [session, start] of [["in one group", ""], ["in a session of its own each time", "setsid "]]
) {
  Deno.test(`who forks and exits all the time, ${session}, is ended, or given up and named`, async () => {
    await using home = new Home(
      `printf '#!/bin/sh\\nsleep 0.002\\n${start}%s/again &\\n' "$0" > again; chmod +x again; ` +
        "setsid ./again & echo 1 > running; sleep 1000",
    );
    await home.number("running");
    await pause(100);
    home.child.kill("SIGKILL");
    await home.child.status;
    const left = await home.family.end();
    const alive = await processesUnder(home.root);
    if (session === "in one group") assert.deepEqual([left, alive], [[], []]);
    else if (alive.length > 0) {
      assert.ok(left.length > 0, "it lives on, and nobody is told");
      assert.match(left[0]?.command ?? "", /^(again|sleep|sh|setsid)$/);
    }
    // Ends what nobody else can: it cannot begin again without its program.
    Deno.removeSync(`${home.root}/again`);
  });
}

Deno.test("a look is shared by all who ask before it begins, and is never older than the question", async () => {
  const first = look();
  assert.equal(look(newMark()), first);
  await Promise.resolve();
  await Promise.resolve();
  const second = look();
  assert.notEqual(second, first);
  assert.equal(look(), second);
  const [before, after] = [await first, await second];
  assert.ok(before.table.length > 0 && after.table.length > 0);
});

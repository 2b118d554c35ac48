import { strict as assert } from "node:assert";
import { join } from "@std/path";
import {
  applyPending,
  consumable,
  mutate,
  type Mutation,
  recoverAll,
} from "../../../rollout/consume/consume.ts";
import { type Disk, realDisk } from "../../../base/durable.ts";
import { UnusableFile } from "../../../base/files.ts";
import { within } from "../../../base/timer.ts";
import type { ConsumeOp } from "../../../rollout/consume/plan.ts";
import { type Consumed, ThreadFiles } from "../../../rollout/consume/thread_files.ts";
import { sweepTemporaries } from "../../../rollout/state/keep.ts";
import { writeSessionFile } from "../../../rollout/state/state.ts";
import { after, failing } from "../../support/failing_system.ts";
import { CodexHome } from "../rollouts.ts";
import { line, rolloutOf, THREAD, ThreadOnDisk } from "../thread_on_disk.ts";

const LONG = "a long output, ".repeat(20);
const NOW = { busy: false };

const LINES = [
  line.meta(),
  line.call("a", '{"cmd":"make all"}'),
  line.output("a", LONG),
  line.call("b", '{"cmd":"make test"}'),
  line.output("b", [{ type: "input_text", text: LONG }]),
  line.script("c", 'text("one"); text("two")'),
  line.scriptOutput("c", "the first part of it"),
  line.scriptOutput("c", [{ type: "input_text", text: LONG }]),
  line.output("small", "ok"),
  line.message("go on"),
];

const light = (...ids: string[]): Mutation[] =>
  ids.map((blockId) => ({ blockId, op: "consume-light" }));
const heavy = (...ids: string[]): Mutation[] =>
  ids.map((blockId) => ({ blockId, op: "consume-heavy" }));

Deno.test("mutate consumes light and heavy, all outputs of a script, and reports what it skipped", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const mutations = [...light("a", "nobody"), ...heavy("b", "c"), { blockId: "d", op: "eat" }];
  const result = await mutate(thread.session(), [...mutations, ...light("small")], NOW);
  assert.deepEqual(result, {
    requested: 6,
    touched: 3,
    deferred: 0,
    skipped: [
      { blockId: "d", reason: "unknown_op" },
      { blockId: "nobody", reason: "unknown_id" },
      { blockId: "small", reason: "already_small" },
    ],
  });
  assert.deepEqual(thread.held, [
    '{"cmd":"make all"}',
    "...(consumed)",
    "{}",
    "...(tool called)",
    "{}",
    "...(tool called)",
    "...(tool called)",
    "ok",
  ]);
});

Deno.test("mutate leaves size, inode, mode, times and every other byte as they were", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  // Nanoseconds that a millisecond clock would lose.
  new Deno.Command("touch", { args: ["-d", "2026-11-22 12:00:00.123456789", thread.path] })
    .outputSync();
  const stat = (): string =>
    new TextDecoder().decode(
      new Deno.Command("stat", { args: ["-c", "%s %i %a %u %h %Y %y", thread.path] }).outputSync()
        .stdout,
    );
  const [before, bytes] = [stat(), thread.bytes];
  await mutate(thread.session(), light("a"), NOW);
  assert.equal(stat(), before);
  const at = new TextDecoder().decode(bytes).indexOf(JSON.stringify(LONG));
  const end = bytes.indexOf(10, at);
  assert.deepEqual(thread.bytes.subarray(0, at), bytes.subarray(0, at));
  assert.deepEqual(thread.bytes.subarray(end), bytes.subarray(end));
  assert.deepEqual(thread.files, []);
});

Deno.test("mutate knows a search for tools, and leaves it as it is", async () => {
  const searched = (type: string) => ({
    type: "response_item",
    payload: { type, call_id: "ts", arguments: { query: "x".repeat(99) }, tools: [] },
  });
  using thread = await ThreadOnDisk.create([
    line.meta(),
    searched("tool_search_call"),
    searched("tool_search_output"),
  ]);
  const { bytes } = thread;
  const result = await mutate(thread.session(), heavy("ts"), NOW);
  assert.deepEqual(result.skipped, [{ blockId: "ts", reason: "already_small" }]);
  assert.deepEqual(thread.bytes, bytes);
});

Deno.test("mutate is idempotent, the last op for an id wins, and a later light changes the marker only", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  assert.equal((await mutate(session, [...light("a"), ...heavy("a")], NOW)).touched, 1);
  assert.deepEqual(thread.held.slice(0, 2), ["{}", "...(tool called)"]);
  const again = await mutate(session, heavy("a"), NOW);
  assert.deepEqual(again.skipped, [{ blockId: "a", reason: "already_small" }]);
  assert.equal((await mutate(session, light("a"), NOW)).touched, 1);
  assert.deepEqual(thread.held.slice(0, 2), ["{}", "...(consumed)"]);
  assert.equal((await mutate(session, heavy("a"), NOW)).touched, 1);
  assert.deepEqual(thread.held.slice(0, 2), ["{}", "...(tool called)"]);
});

Deno.test("mutate consumes the copies in a compaction's replacement history too", async () => {
  const copies = [line.message("go"), line.call("a", '{"x":1}'), line.output("a", LONG)];
  using thread = await ThreadOnDisk.create([
    ...LINES,
    line.compacted(...copies),
    line.output("z", LONG),
  ]);
  await mutate(thread.session(), heavy("a"), NOW);
  assert.deepEqual(thread.held.slice(-3), ["{}", "...(tool called)", LONG]);
  assert.deepEqual(thread.held.slice(0, 2), ["{}", "...(tool called)"]);
});

Deno.test("mutate without a thread or a session file touches nothing and is no error", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const nothing = {
    requested: 1,
    touched: 0,
    deferred: 0,
    skipped: [{ blockId: "a", reason: "unknown_id" as const }],
  };
  const session = thread.session();
  assert.deepEqual(await mutate({ ...session, agentId: "other" }, light("a"), NOW), nothing);
  Deno.removeSync(thread.path);
  assert.deepEqual(await mutate(session, light("a"), NOW), nothing);
});

Deno.test("mutate refuses a rollout that is a link or has a second name, and says why", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  Deno.renameSync(thread.path, `${thread.path}.real`);
  Deno.symlinkSync(`${thread.path}.real`, thread.path);
  await assert.rejects(mutate(thread.session(), light("a"), NOW), /it is a symbolic link/);
  Deno.removeSync(thread.path);
  Deno.linkSync(`${thread.path}.real`, thread.path);
  const before = thread.bytes;
  await assert.rejects(
    mutate(thread.session(), light("a"), NOW),
    /the file has 2 names \(hard links\)/,
  );
  assert.deepEqual(thread.bytes, before);
});

Deno.test("mutate waits for codex to unpack a session that it has compressed", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  Deno.renameSync(thread.path, `${thread.path}.zst`);
  assert.equal((await mutate(session, light("a"), NOW)).deferred, 1);
  assert.equal((await recoverAll(session.store)).deferred, 1);
  assert.equal(await consumable(session, new AbortController().signal), false);
  Deno.renameSync(`${thread.path}.zst`, thread.path);
  assert.equal((await applyPending(session)).touched, 1);
  assert.equal(thread.held[1], "...(consumed)");
  assert.deepEqual(thread.warnings, []);
});

Deno.test("mutate defers while our own turn runs; applyPending does it, and the last op wins", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  const before = thread.bytes;
  const busy = { busy: true };
  assert.deepEqual(await mutate(session, [...light("a", "b"), ...heavy("nobody")], busy), {
    requested: 3,
    touched: 0,
    deferred: 3,
    skipped: [],
  });
  await mutate(session, heavy("a"), busy);
  assert.deepEqual(thread.bytes, before);
  assert.deepEqual(thread.files, ["pending"]);
  assert.deepEqual(await applyPending(thread.session()), {
    requested: 3,
    touched: 2,
    deferred: 0,
    skipped: [{ blockId: "nobody", reason: "unknown_id" }],
  });
  assert.deepEqual(thread.held.slice(0, 4), [
    "{}",
    "...(tool called)",
    '{"cmd":"make test"}',
    "...(consumed)",
  ]);
  assert.deepEqual(thread.files, []);
  assert.equal((await applyPending(session)).requested, 0);
});

Deno.test("mutate does what was deferred before, in the order it was asked for", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  await mutate(session, light("a", "b"), { busy: true });
  assert.equal((await mutate(session, heavy("a"), NOW)).touched, 1);
  assert.deepEqual(thread.held.slice(0, 4), [
    "{}",
    "...(tool called)",
    '{"cmd":"make test"}',
    "...(consumed)",
  ]);
  assert.deepEqual(thread.files, []);
});

Deno.test("recoverAll does what was deferred at plugin start, and reports a broken list", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  await mutate(thread.session(), light("a"), { busy: true });
  assert.equal((await recoverAll(thread.session().store)).touched, 1);
  assert.equal(thread.held[1], "...(consumed)");
  const pending = thread.session().store.threadFile(
    "01a20339-004c-7780-ad3c-b93c735b49cf",
    "pending",
  );
  Deno.writeTextFileSync(pending, '{"mutations":');
  await recoverAll(thread.session().store);
  assert.match(thread.warnings.join(), /set aside as .*\.pending\.broken/);
  assert.deepEqual(thread.files, ["pending.broken"]);
});

Deno.test("mutate defers while a codex holds its writer lock, and removes a leftover one as codex does", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const lockPath = thread.makeLocks();
  const session = thread.session();
  {
    using lock = Deno.openSync(lockPath, { write: true, create: true });
    lock.lockSync(true);
    const before = thread.bytes;
    assert.equal((await mutate(session, light("a"), NOW)).deferred, 1);
    assert.equal((await applyPending(session)).deferred, 1);
    assert.deepEqual(thread.bytes, before);
    assert.deepEqual(thread.files, ["pending"]);
  }
  Deno.writeTextFileSync(lockPath, "");
  assert.equal((await applyPending(session)).touched, 1);
  assert.equal(thread.held[1], "...(consumed)");
  assert.throws(() => Deno.lstatSync(lockPath), Deno.errors.NotFound);
});

Deno.test("mutate waits for codex's coordination lock, as codex does", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const lockPath = thread.makeLocks();
  const coordination = Deno.openSync(lockPath.replace(/[^/]*$/, ".coordination.lock"), {
    write: true,
  });
  coordination.lockSync(true);
  const before = thread.bytes;
  let done = false;
  const consumed = mutate(thread.session(), light("a"), NOW).then((result) => {
    done = true;
    return result;
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(done, false);
  assert.deepEqual(thread.bytes, before);
  coordination.close();
  assert.equal((await consumed).touched, 1);
});

Deno.test("mutate from many sides at once loses nothing", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const [one, two] = [thread.session(), thread.session()]; // as two processes have it
  const results = await Promise.all([
    mutate(one, light("a"), NOW),
    mutate(two, heavy("b"), NOW),
    mutate(one, light("c"), { busy: true }),
    mutate(two, heavy("a"), NOW),
    applyPending(one),
  ]);
  await applyPending(two);
  assert.equal(results.every((result) => result.skipped.length === 0), true);
  assert.deepEqual(thread.held.slice(0, 7), [
    "{}",
    "...(tool called)",
    "{}",
    "...(tool called)",
    'text("one"); text("two")',
    "...(consumed)",
    "...(consumed)",
  ]);
});

Deno.test("mutate finds calls appended since, and again after the file was replaced or the index damaged", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  const index = session.store.threadFile("01a20339-004c-7780-ad3c-b93c735b49cf", "calls");
  await mutate(session, light("a"), NOW);
  const more = [...LINES, line.call("new", '{"cmd":"x"}'), line.output("new", LONG)];
  thread.bytes = rolloutOf(more);
  assert.equal((await mutate(session, light("new"), NOW)).touched, 1);

  // The same inode with everything elsewhere.
  thread.bytes = rolloutOf([
    line.meta(),
    line.message(LONG),
    ...more.slice(1),
    line.output("e", LONG),
  ]);
  assert.equal((await mutate(session, light("a", "b", "new", "e"), NOW)).touched, 4);

  for (const damage of [0, 30, 85, 100, 150]) {
    thread.bytes = rolloutOf(LINES);
    await mutate(session, light("small"), NOW);
    const bytes = Deno.readFileSync(index);
    bytes[damage] = (bytes[damage] ?? 0) ^ 0x55;
    Deno.writeFileSync(index, bytes);
    assert.equal((await mutate(session, light("a", "b"), NOW)).touched, 2, `byte ${damage}`);
  }
  Deno.truncateSync(index, 101);
  assert.equal((await mutate(session, heavy("a", "b"), NOW)).touched, 2);
});

Deno.test("mutate passes over lines that codex would drop, and does not change them", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const cut = JSON.stringify(line.output("a", "cut off in the middle")).slice(0, -20) + "\n";
  const text = new TextDecoder().decode(rolloutOf(LINES));
  thread.bytes = new TextEncoder().encode(
    text.replace("\n", `\n\n\u0000\u0000\n${cut}not json\r\n`),
  );
  assert.equal((await mutate(thread.session(), heavy("a"), NOW)).touched, 1);
  const after = new TextDecoder().decode(thread.bytes);
  assert.ok(after.includes(`\n\n\u0000\u0000\n${cut}not json\r\n`));
  assert.equal(after.split('"...(tool called)"').length, 2);
});

Deno.test("mutate takes over the thread of the Go plugin's session file, where we know of none", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const { store, codexHome, ...known } = thread.session();
  const workspace = Deno.realPathSync(codexHome);
  const moved = [line.meta(workspace), ...LINES.slice(1)];
  thread.bytes = rolloutOf(moved);
  writeSessionFile(workspace, THREAD);
  const session = { store, codexHome, agentId: "new", workspace };
  assert.equal((await mutate(session, light("a"), NOW)).touched, 0, "it is another agent's");
  await store.forget(known.agentId, known.workspace);
  assert.equal((await mutate(session, light("a"), NOW)).touched, 1);
});

Deno.test("consumable waits until the writer lets go, and ends with its signal", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const lockPath = thread.makeLocks();
  const session = thread.session();
  const lock = Deno.openSync(lockPath, { write: true, create: true });
  lock.lockSync(true);
  const given = new AbortController();
  const givenUp = consumable(session, given.signal);
  given.abort();
  assert.equal(await givenUp, false);

  let free = false;
  const waiting = consumable(session, new AbortController().signal).then((ok) => free = ok);
  await new Promise((resolve) => setTimeout(resolve, 150)); // one look has passed
  assert.equal(free, false);
  lock.close();
  assert.equal(await waiting, true);
});

Deno.test("sweepTemporaries removes what was never put in place, once it is old", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const { store } = thread.session();
  const [old, fresh] = ["old", "fresh"].map((name) =>
    join(thread.stateDir, `.${name}.json.1.0.tmp`)
  );
  for (const path of [old, fresh]) Deno.writeTextFileSync(path ?? "", "{");
  const yesterday = new Date(Date.now() - 86_400_000);
  Deno.utimeSync(old ?? "", yesterday, yesterday);
  sweepTemporaries(store);
  const left = [...Deno.readDirSync(thread.stateDir)].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => name.endsWith(".tmp")), [".fresh.json.1.0.tmp"]);
});

/** A codex that has the thread open, until it is closed. */
function codexHolds(lockPath: string): Deno.FsFile {
  const lock = Deno.openSync(lockPath, { write: true, create: true });
  lock.lockSync(true);
  return lock;
}

Deno.test("a codex that has the thread open counts in the home of its rollout, whichever home is given", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  using elsewhere = new CodexHome();
  const session = { ...thread.session(), codexHome: elsewhere.dir };
  const lock = codexHolds(thread.makeLocks());
  const before = thread.bytes;
  assert.equal((await mutate(session, light("a"), NOW)).deferred, 1);
  assert.equal((await applyPending(session)).deferred, 1);
  assert.equal((await recoverAll(session.store)).deferred, 1);
  assert.deepEqual(thread.bytes, before);
  const gone = consumable(session, new AbortController().signal);
  assert.equal(await within(300, gone), false); // a few looks
  lock.close();
  assert.equal(await gone, true);
  assert.equal((await applyPending(session)).touched, 1);
});

Deno.test("what was deferred stays where the system fails to read it, and is done later", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  await mutate(session, light("a"), { busy: true });
  {
    using _fault = failing("openSync", session.store.threadFile(THREAD, "pending"));
    await assert.rejects(applyPending(session), /os error 24/);
    await assert.rejects(mutate(session, light("b"), { busy: true }), /os error 24/);
    assert.equal((await recoverAll(session.store)).touched, 0);
  }
  assert.match(thread.warnings.join(), /^Cannot finish the consumes of thread .*os error 24/);
  assert.deepEqual(thread.files, ["pending"]);
  assert.equal((await applyPending(session)).touched, 1);
});

Deno.test("mutate fails, and can be tried again, where the system fails to read the session", async () => {
  using thread = await ThreadOnDisk.create(LINES);
  const session = thread.session();
  using _fault = failing("openSync", thread.path);
  await assert.rejects(
    mutate(session, light("a"), NOW),
    (error) => error instanceof Error && !(error instanceof UnusableFile),
  );
});

Deno.test("mutate has a few megabytes in hand at a time, however much it consumes", async () => {
  const ids = ["1", "2", "3", "4", "5", "6"];
  const big = "y".repeat(1_000_000);
  using thread = await ThreadOnDisk.create([line.meta(), ...ids.map((id) => line.output(id, big))]);
  let longest = 0;
  const disk: Disk = {
    ...realDisk,
    open(path, how) {
      const file = realDisk.open(path, how);
      const write = (bytes: Uint8Array, offset: number): number => {
        longest = Math.max(longest, bytes.length);
        return file.write(bytes, offset);
      };
      return { ...file, write };
    },
  };
  assert.equal((await mutate(thread.session(disk), light(...ids), NOW)).touched, 6);
  assert.deepEqual(new Set(thread.held), new Set(["...(consumed)"]));
  assert.ok(longest < 5_000_000, `${longest} bytes`);
  assert.deepEqual(thread.files, []);
});

/** Two calls of one record each. */
const TWO = [line.meta(), line.output("a", LONG), line.output("b", LONG)];

/** Consumes both, with a batch for each line. */
function consumeLineByLine(thread: ThreadOnDisk): Promise<Consumed> {
  const { store, codexHome } = thread.session();
  const place = { threadId: THREAD, codexHome, rolloutPath: thread.path };
  const ops = new Map<string, ConsumeOp>([["a", "consume-light"], ["b", "consume-light"]]);
  return store.exclusive(() => new ThreadFiles(store, place, 1).consume(ops));
}

Deno.test("a codex that opens the thread between two batches has it; everything asked for waits", async () => {
  using thread = await ThreadOnDisk.create(TWO);
  const lockPath = thread.makeLocks();
  let lock: Deno.FsFile | undefined;
  {
    using _codex = after("removeSync", lockPath, () => lock = codexHolds(lockPath));
    assert.deepEqual(await consumeLineByLine(thread), { kind: "deferred" });
  }
  assert.deepEqual([thread.held, thread.files], [["...(consumed)", LONG], ["pending"]]);
  lock?.close();
  assert.equal((await applyPending(thread.session())).requested, 2);
  assert.deepEqual([thread.held, thread.files], [["...(consumed)", "...(consumed)"], []]);
});

Deno.test("what an earlier batch changed counts when the session grows, or is another, before the next", async () => {
  const more = new TextDecoder().decode(rolloutOf([line.output("b", LONG)]));
  const changes: [change: (text: string) => string, outputs: number][] = [
    [(text) => text + more, 3],
    [(text) => text.replace("\n", '\n{"type":"event_msg","payload":{}}\n'), 2],
  ];
  for (const [change, outputs] of changes) {
    using thread = await ThreadOnDisk.create(TWO);
    using _change = after("removeSync", thread.makeLocks(), () => {
      assert.deepEqual(thread.held, ["...(consumed)", LONG]);
      thread.bytes = new TextEncoder().encode(change(new TextDecoder().decode(thread.bytes)));
    });
    const both = new Set(["a", "b"]);
    const done = await consumeLineByLine(thread);
    assert.deepEqual(done, { kind: "done", found: both, changed: both });
    assert.deepEqual(thread.held, Array(outputs).fill("...(consumed)"));
    assert.deepEqual(thread.files, []);
  }
});

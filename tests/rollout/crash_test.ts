/**
 * Every place where a consume can be stopped, one after the other: before and after each operation on the
 * disk and inside each write, with and without the loss of what was not synced.
 */
import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import {
  applyPending,
  consumable,
  mutate,
  type Mutation,
  recoverAll,
} from "../../rollout/consume/consume.ts";
import type { ConsumeOp } from "../../rollout/consume/plan.ts";
import { ThreadFiles } from "../../rollout/consume/thread_files.ts";
import { Crash, type Fault, FaultyDisk } from "./faulty_disk.ts";
import { CodexHome } from "./rollouts.ts";
import { line, THREAD, ThreadOnDisk } from "./thread_on_disk.ts";

const OUTPUT = "an output of a few words, é";
const LINES = [
  line.meta(),
  line.call("a", '{"cmd":"make"}'),
  line.output("a", OUTPUT),
  line.script("b", 'text("b")'),
  line.scriptOutput("b", [{ type: "input_text", text: OUTPUT }]),
  line.compacted(line.message("go"), line.call("a", '{"cmd":"make"}'), line.output("a", OUTPUT)),
];
const MUTATIONS: Mutation[] = [
  { blockId: "a", op: "consume-heavy" },
  { blockId: "b", op: "consume-light" },
];

/** The faults to try: each operation, each prefix of each write to the rollout's last batch, some of the others. */
function* faultsIn(disk: FaultyDisk, kind: Fault["kind"]): Generator<Fault> {
  const opened = disk.operations.map(({ name }) => name).lastIndexOf("open");
  for (const [at, { name, length }] of disk.operations.entries()) {
    if (name !== "write") {
      yield { at, kind, bytes: 0 };
      yield { at, kind, bytes: 1 };
      continue;
    }
    const all = Array.from({ length: length + 1 }, (_, bytes) => bytes);
    const some = [0, 1, Math.floor(length / 2), length - 1, length];
    for (const bytes of at > opened ? all : some) yield { at, kind, bytes };
  }
}

/** Numbers that look random and are the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

async function dryRun(
  act: (thread: ThreadOnDisk, disk: FaultyDisk) => Promise<unknown>,
): Promise<FaultyDisk> {
  using thread = await ThreadOnDisk.create(LINES);
  const disk = new FaultyDisk();
  await act(thread, disk);
  return disk;
}

/** Each record of `thread` is the old or the new one, and nothing else changed. */
function assertOldOrNew(thread: ThreadOnDisk, oldLines: string[], newLines: string[]): void {
  const lines = new TextDecoder().decode(thread.bytes).split("\n");
  assert.equal(lines.length, oldLines.length);
  lines.forEach((text, i) => assert.ok(text === oldLines[i] || text === newLines[i], text));
}

async function linesBeforeAndAfter(): Promise<[string[], string[]]> {
  using thread = await ThreadOnDisk.create(LINES);
  const lines = (): string[] => new TextDecoder().decode(thread.bytes).split("\n");
  const before = lines();
  await mutate(thread.session(), MUTATIONS, { busy: false });
  return [before, lines()];
}

const consumeAll = (thread: ThreadOnDisk, disk: FaultyDisk) =>
  mutate(thread.session(disk), MUTATIONS, { busy: false });

/** The same with a batch for each line. */
function consumeLineByLine(thread: ThreadOnDisk, disk: FaultyDisk): Promise<unknown> {
  const { store, codexHome } = thread.session(disk);
  const place = { threadId: THREAD, codexHome, rolloutPath: thread.path };
  const ops = new Map(MUTATIONS.map(({ blockId, op }) => [blockId, op as ConsumeOp]));
  return store.exclusive(() => new ThreadFiles(store, place, 1).consume(ops));
}

const WAYS = [
  { consume: consumeAll, inBatches: "", power: false },
  { consume: consumeAll, inBatches: "", power: true },
  { consume: consumeLineByLine, inBatches: "in batches ", power: false },
  { consume: consumeLineByLine, inBatches: "in batches ", power: true },
];

for (const { consume, inBatches, power } of WAYS) {
  const how = `${inBatches}${power ? "with loss of power " : ""}`;
  Deno.test(`mutate that is killed anywhere ${how}leaves each record old or new`, async () => {
    const [before, after] = await linesBeforeAndAfter();
    let tried = 0;
    let finished = 0;
    for (const fault of faultsIn(await dryRun(consume), "crash")) {
      using thread = await ThreadOnDisk.create(LINES);
      const times = Deno.statSync(thread.path).mtime;
      const disk = new FaultyDisk(fault);
      await assert.rejects(consume(thread, disk), Crash);
      if (power) disk.losePower(seeded(tried));
      await recoverAll(thread.session(new FaultyDisk()).store);
      assertOldOrNew(thread, before, after);
      const now = new TextDecoder().decode(thread.bytes).split("\n");
      // All of it or none: recovery finishes what it knows of.
      assert.ok(
        [before.join(), after.join()].includes(now.join()),
        `fault ${JSON.stringify(fault)}`,
      );
      if (now.join() === after.join()) finished++;
      if (!power) assert.deepEqual(Deno.statSync(thread.path).mtime, times);
      await consumeAll(thread, new FaultyDisk());
      assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
      assert.deepEqual(thread.files.filter((name) => !name.endsWith(".tmp")), []);
      assert.deepEqual(thread.warnings, []);
      tried++;
    }
    assert.ok(tried > 250 && finished > 200, `${tried} faults, ${finished} finished`);
  });
}

for (const { consume, inBatches } of WAYS.filter(({ power }) => !power)) {
  Deno.test(`mutate ${inBatches}that the disk refuses anywhere fails by name, damages nothing, and is finished later`, async () => {
    const [before, after] = await linesBeforeAndAfter();
    for (const fault of faultsIn(await dryRun(consume), "refuse")) {
      using thread = await ThreadOnDisk.create(LINES);
      await assert.rejects(consume(thread, new FaultyDisk(fault)), /no space left/);
      await applyPending(thread.session(new FaultyDisk()));
      assertOldOrNew(thread, before, after);
      await consumeAll(thread, new FaultyDisk());
      assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
      assert.deepEqual(thread.files, []);
    }
  });
}

Deno.test("mutate gets all its bytes to a disk that takes a few at a time", async () => {
  const [, after] = await linesBeforeAndAfter();
  for (const atMost of [1, 2, 7, 100]) {
    using thread = await ThreadOnDisk.create(LINES);
    await consumeAll(thread, new FaultyDisk({ at: -1, kind: "crash", bytes: 0, atMost }));
    assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
  }
});

Deno.test("recovery waits for a codex that has the thread in the home of its rollout", async () => {
  const [, after] = await linesBeforeAndAfter();
  using thread = await ThreadOnDisk.create(LINES);
  using elsewhere = new CodexHome();
  const { lastWrite: at } = await dryRun(consumeAll);
  const disk = new FaultyDisk({ at, kind: "crash", bytes: 9 });
  const session = { ...thread.session(disk), codexHome: elsewhere.dir };
  await assert.rejects(mutate(session, MUTATIONS, { busy: false }), Crash);
  const lock = Deno.openSync(thread.makeLocks(), { write: true, create: true });
  lock.lockSync(true);
  const bytes = thread.bytes;
  await recoverAll(thread.session(new FaultyDisk()).store);
  assert.deepEqual([thread.bytes, thread.files], [bytes, ["journal"]]);
  lock.close();
  await recoverAll(thread.session(new FaultyDisk()).store);
  assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
  assert.deepEqual([thread.files, thread.warnings], [[], []]);
});

Deno.test("recovery that is killed anywhere is recovered from", async () => {
  const [before, after] = await linesBeforeAndAfter();
  const interrupted = async (): Promise<ThreadOnDisk> => {
    const thread = await ThreadOnDisk.create(LINES);
    const { lastWrite: at } = await dryRun(consumeAll);
    await assert.rejects(
      consumeAll(thread, new FaultyDisk({ at, kind: "crash", bytes: 9 })),
      Crash,
    );
    assert.deepEqual(thread.files, ["journal"]);
    return thread;
  };
  const disk = new FaultyDisk();
  using whole = await interrupted();
  await recoverAll(whole.session(disk).store);
  for (const fault of faultsIn(disk, "crash")) {
    using thread = await interrupted();
    await recoverAll(thread.session(new FaultyDisk(fault)).store);
    assert.match(thread.warnings.join(), /Cannot finish the consumes of thread/);
    await recoverAll(thread.session(new FaultyDisk()).store);
    assertOldOrNew(thread, before, after);
    assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
    assert.deepEqual(thread.files, []);
  }
});

Deno.test("a deferred consume survives once it was acknowledged, and is whole or absent before", async () => {
  const defer = (thread: ThreadOnDisk, disk: FaultyDisk) =>
    mutate(thread.session(disk), MUTATIONS, { busy: true });
  const [before, after] = await linesBeforeAndAfter();
  const disk = await dryRun(defer);
  let seed = 0;
  for (const fault of faultsIn(disk, "crash")) {
    using thread = await ThreadOnDisk.create(LINES);
    const crashing = new FaultyDisk(fault);
    await assert.rejects(defer(thread, crashing), Crash);
    crashing.losePower(seeded(seed++));
    await applyPending(thread.session(new FaultyDisk()));
    const now = new TextDecoder().decode(thread.bytes).split("\n").join();
    assert.ok([before.join(), after.join()].includes(now));
    assert.deepEqual(thread.warnings, []);
  }
  using thread = await ThreadOnDisk.create(LINES);
  const acknowledged = new FaultyDisk();
  await defer(thread, acknowledged);
  acknowledged.losePower(() => 0);
  await applyPending(thread.session(new FaultyDisk()));
  assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
});

Deno.test("a journal is not applied to another file or to other bytes", async () => {
  const { lastWrite: at } = await dryRun(consumeAll);
  const changes: [what: RegExp, change: (thread: ThreadOnDisk) => void][] = [
    [/it was replaced/, (thread) => {
      const bytes = thread.bytes;
      Deno.renameSync(thread.path, `${thread.path}.old`);
      thread.bytes = bytes;
    }],
    [/shorter than it was/, (thread) => Deno.truncateSync(thread.path, thread.bytes.length - 1)],
    [/other bytes at offset/, (thread) => {
      const bytes = thread.bytes;
      bytes[new TextDecoder().decode(bytes).lastIndexOf("summary") + 40] = 0x58;
      thread.bytes = bytes;
    }],
    [/is gone/, (thread) => Deno.removeSync(thread.path)],
    [/symbolic link/, (thread) => {
      Deno.renameSync(thread.path, `${thread.path}.old`);
      Deno.symlinkSync(`${thread.path}.old`, thread.path);
    }],
    [/checksum is wrong/, (thread) => {
      const { store } = thread.session();
      const path = store.threadFile("01a20339-004c-7780-ad3c-b93c735b49cf", "journal");
      const bytes = Deno.readFileSync(path);
      bytes[bytes.length - 50] = 0;
      Deno.writeFileSync(path, bytes);
    }],
  ];
  for (const [what, change] of changes) {
    using thread = await ThreadOnDisk.create(LINES);
    const faulty = new FaultyDisk({ at, kind: "crash", bytes: 0 });
    await assert.rejects(consumeAll(thread, faulty), Crash);
    change(thread);
    const bytes = readIfThere(thread.path);
    await applyPending(thread.session(new FaultyDisk()));
    assert.deepEqual(readIfThere(thread.path), bytes);
    assert.match(thread.warnings.join(), what);
    assert.ok(thread.files.includes("journal.refused"), thread.files.join());
  }
});

Deno.test("a journal is applied where the device has another number since the machine was started anew", async () => {
  const { lastWrite: at } = await dryRun(consumeAll);
  const [, after] = await linesBeforeAndAfter();
  using thread = await ThreadOnDisk.create(LINES);
  await assert.rejects(
    consumeAll(thread, new FaultyDisk({ at, kind: "crash", bytes: 9 })),
    Crash,
  );
  const { store } = thread.session();
  renumberDevice(store.threadFile(THREAD, "journal"));
  await applyPending(thread.session(new FaultyDisk()));
  assert.deepEqual(thread.warnings, []);
  assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after);
  assert.deepEqual(thread.files, []);
});

/** Makes a journal one that was written when the device had another number. */
function renumberDevice(path: string): void {
  const content = Deno.readFileSync(path).subarray(0, -32);
  const digit = new TextDecoder().decode(content).indexOf('"dev":') + 6; // only ASCII stands before it
  content[digit] = content[digit] === 0x31 ? 0x32 : 0x31;
  const digest = createHash("sha256").update(content).digest();
  Deno.writeFileSync(path, new Uint8Array([...content, ...digest]));
}

Deno.test("a journal waits for its rollout where that is compressed, or its home is not mounted", async () => {
  const { lastWrite: at } = await dryRun(consumeAll);
  const [, after] = await linesBeforeAndAfter();
  for (const away of ["compressed", "not mounted"]) {
    using thread = await ThreadOnDisk.create(LINES);
    const faulty = new FaultyDisk({ at, kind: "crash", bytes: 0 });
    await assert.rejects(consumeAll(thread, faulty), Crash);
    const [from, to] = away === "compressed"
      ? [thread.path, `${thread.path}.zst`]
      : [join(thread.home.dir, "sessions"), join(thread.home.dir, "elsewhere")];
    Deno.renameSync(from, to);
    await applyPending(thread.session(new FaultyDisk()));
    await recoverAll(thread.session(new FaultyDisk()).store);
    assert.ok(thread.files.includes("journal"), thread.files.join());
    assert.equal(await consumable(thread.session(), new AbortController().signal), false, away);
    Deno.renameSync(to, from);
    assert.equal(await consumable(thread.session(), new AbortController().signal), true, away);
    await applyPending(thread.session(new FaultyDisk()));
    assert.deepEqual(new TextDecoder().decode(thread.bytes).split("\n"), after, away);
    assert.deepEqual(thread.warnings, []);
  }
});

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}

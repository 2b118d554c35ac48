/**
 * A rollout in any state: it is scanned, classified, followed while it grows, and spliced line by
 * line. Each way of reading is held against a plainer one of the same bytes.
 */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { join } from "@std/path";
import { reportThread } from "../../../rollout/report/thread_reader.ts";
import { type Followed, Follower } from "../../../rollout/follow.ts";
import { kindOf } from "../../../rollout/records/line_kind.ts";
import { decodeRecord } from "../../../rollout/records/records.ts";
import { scanLines } from "../../../rollout/scan.ts";
import { callItemsIn } from "../../../rollout/records/items.ts";
import { saysTwice } from "./consumed_line.ts";
import { captured, lines, mutated } from "./mutation.ts";
import { rolloutLine } from "./codex_text.ts";
import { assertSameBytes, chunksOf, dice, hashOf, type Runner, type Target } from "./target.ts";

/** The thread of every case. */
export const THREAD = "01a20339-004c-7780-ad3c-b93c735b49cf";
const NEWLINE = 10;
/** One of so many cases is followed while it grows. */
const FOLLOWED = 16;

/** Made-up and captured rollouts, as bytes. */
export const rollouts: fc.Arbitrary<Uint8Array> = mutated(fc.oneof(
  { weight: 3, arbitrary: lines(rolloutLine) },
  { weight: 1, arbitrary: captured("rollout.jsonl", { maxLines: 6 }) },
));

/** The readers of a rollout. */
export const rolloutBytes: Target = {
  cases: rollouts,
  open(directory): Runner {
    const { home, path } = codexHome(directory);
    return {
      async run(bytes) {
        Deno.writeFileSync(path, bytes);
        checkScan(path, bytes);
        for (const { line } of splitPlainly(bytes)) checkKind(line);
        checkReport(path);
        // A write and a look for every few bytes.
        if (hashOf(bytes) % FOLLOWED !== 0) return;
        const whole = await follow(home, path, [bytes]);
        const inChunks = await follow(home, path, chunksOf(bytes));
        // As text: `deepEqual` takes objects with a key `constructor` for those of different classes.
        const [one, other] = [inChunks, whole].map((followed) => JSON.stringify(followed));
        assert.equal(one, other, "chunks make no difference");
      },
    };
  },
};

/** A codex home in `directory`, and where the thread's rollout is in it. */
export function codexHome(directory: string): { home: string; path: string } {
  const day = join(directory, "codex", "sessions/2026/11/22");
  Deno.mkdirSync(day, { recursive: true });
  const path = join(day, `rollout-2026-11-22T12-00-00-${THREAD}.jsonl`);
  return { home: join(directory, "codex"), path };
}

function* splitPlainly(bytes: Uint8Array): Generator<{ offset: number; line: Uint8Array }> {
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== NEWLINE) continue;
    if (at < bytes.length || start < at) yield { offset: start, line: bytes.slice(start, at) };
    start = at + 1;
  }
}

function checkScan(path: string, bytes: Uint8Array): void {
  const draw = dice(hashOf(bytes));
  const maxLine = [16, 300, 8 * 1024 * 1024][draw(3)] ?? 16;
  using file = Deno.openSync(path, { read: true });
  const scanned = Array.from(scanLines(file, { maxLine }), (line) => {
    const { offset, length, terminated, overlong } = line;
    const here = bytes.subarray(offset, offset + Math.min(length, 256 * 1024));
    assert.ok(line.bytes.length <= here.length, "not more than the line");
    assertSameBytes(line.bytes, here.subarray(0, line.bytes.length), "the line's own bytes");
    return { offset, length, terminated, overlong };
  });
  const plain = [...splitPlainly(bytes)].map(({ offset, line }) => ({
    offset,
    length: line.length,
    terminated: offset + line.length < bytes.length,
    overlong: line.length > maxLine,
  }));
  assert.deepEqual(scanned, plain, "scanned lines");
}

/** What the head rules out must not be there when the line is decoded. */
function checkKind(line: Uint8Array): void {
  const kind = kindOf(line);
  const record = decodeRecord(line);
  const items = callItemsIn(line);
  const twice = saysTwice(new TextDecoder().decode(line));
  if (kind === "other" && !twice) {
    assert.ok(["other", "broken"].includes(record.kind), `passed over: ${record.kind}`);
    // What is no JSON codex drops: there nobody misses a call.
    if (record.kind !== "broken") assert.equal(items.length, 0, "passed over, and has calls");
  }
  if (record.kind === "call" && record.form !== "local_shell_call") {
    assert.ok(twice || kind === "call" || kind === "unsure", `a call seen as ${kind}`);
  }
}

/** A report is made of anything, and its sums add up. */
function checkReport(path: string): void {
  const { turns, size } = reportThread(path);
  const calls = turns.flatMap((turn) => turn.calls);
  assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length, "each call once");
  assert.deepEqual(turns.map(({ number }) => number), turns.map((_, i) => i + 1));
  const held = calls.reduce((sum, { outputBytes }) => sum + outputBytes, 0);
  assert.ok(held <= size, "not more than the file");
}

/** Follows the file while it grows by these chunks. */
async function follow(
  home: string,
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<Followed[]> {
  Deno.writeFileSync(path, new Uint8Array(0));
  using file = Deno.openSync(path, { write: true, append: true });
  const follower = new Follower({ codexHome: home, threadId: THREAD, located: path, from: 0 });
  const followed: Followed[] = [];
  let size = 0;
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
      size += chunk.length;
      followed.push(...await Array.fromAsync(follower.drain()));
      assert.ok(follower.offset <= size, "never beyond the end");
    }
    followed.push(...await Array.fromAsync(follower.finish()));
    assert.ok(follower.offset <= size, "never beyond the end");
    return followed;
  } finally {
    follower.close();
  }
}

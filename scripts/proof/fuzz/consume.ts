/**
 * Consume on any rollout: what was asked for is gone, every other byte is where and what it was.
 *
 * Which bytes may change is worked out by another parser (jsonc-parser) than the one that is
 * tested: the values of the wanted calls, and from there to the end of their line.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { mutate, type Mutation, type Session } from "../../../rollout/consume/consume.ts";
import { type Disk, realDisk } from "../../../base/durable.ts";
import { StateStore } from "../../../rollout/state/state.ts";
import { ZERO_USAGE } from "../../../runner/thread/usage.ts";
import { expectedLine, stillHolds } from "./consumed_line.ts";
import { codexHome, rollouts, THREAD } from "./rollout_bytes.ts";
import { CALL_IDS } from "./codex_text.ts";
import { assertSameBytes, bytesOf, dice, hashOf, type Runner, type Target } from "./target.ts";

const OPS = ["consume-light", "consume-heavy", "consume-light", "consume-heavy", "consume-all"];

/** The edit of a session. */
export const consume: Target = {
  cases: rollouts,
  async open(directory): Promise<Runner> {
    const { home, path } = codexHome(directory);
    const state = join(directory, "state");
    const warnings: string[] = [];
    // A case more or less that survives a power cut is not what this is about.
    const disk: Disk = {
      ...realDisk,
      open: (path, how) => ({ ...realDisk.open(path, how), sync: () => Promise.resolve() }),
      syncDirectory: () => Promise.resolve(),
    };
    const store = new StateStore(state, { onWarning: (text) => warnings.push(text), disk });
    const known = { threadId: THREAD, rolloutPath: path, endOffset: 0, usageTotal: ZERO_USAGE };
    await store.save("cx", "/w", known);
    const session = { store, codexHome: home, agentId: "cx", workspace: "/w" };
    return {
      async run(bytes) {
        // The first line has to name the thread, or the file is refused.
        const meta = `{"type":"session_meta","payload":{"id":"${THREAD}","cwd":"/w"}}\n`;
        const before = new Uint8Array([...bytesOf(meta), ...bytes]);
        Deno.writeFileSync(path, before);
        for (const { name } of Deno.readDirSync(state)) {
          if (name.startsWith(THREAD)) Deno.removeSync(join(state, name));
        }
        await check(session, path, before);
        assert.deepEqual(warnings, []);
        const left = [...Deno.readDirSync(state)].map(({ name }) => name);
        assert.deepEqual(left.filter((name) => /journal|pending|tmp|broken/.test(name)), []);
      },
    };
  },
};

async function check(session: Session, path: string, before: Uint8Array): Promise<void> {
  const draw = dice(hashOf(before));
  const asked: Mutation[] = [...CALL_IDS, "call_unknown"].filter(() => draw(3) > 0)
    .map((blockId) => ({ blockId, op: OPS[draw(OPS.length)] ?? "" }));
  const stat = Deno.statSync(path);
  const result = await mutate(session, asked, { busy: false });
  const now = Deno.statSync(path);
  assert.deepEqual([now.ino, now.size, now.mtime], [stat.ino, stat.size, stat.mtime], "same file");
  assert.equal(result.requested, asked.length);
  assert.equal(result.touched + result.deferred + result.skipped.length, asked.length);
  const after = Deno.readFileSync(path);
  const wanted = new Map(asked.map(({ blockId, op }) => [blockId, op]));
  let at = 0;
  for (const line of linesOf(before)) {
    const changed = after.subarray(at, at + line.length);
    if (line.at(-1) === 10) expectedLine(line, changed, wanted);
    else assertSameBytes(changed, line, "a line without its end is not touched");
    at += line.length;
  }
  const again = await mutate(session, asked, { busy: false });
  assert.equal(again.touched, 0, "a second time there is nothing left to do");
  assertSameBytes(Deno.readFileSync(path), after, "a second time nothing changes");
  for (const { reason, blockId } of result.skipped) {
    if (reason === "unknown_id") {
      assert.ok(!stillHolds(after, blockId), "unknown, yet there");
    }
  }
}

/** With their newlines. */
function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    yield bytes.slice(at, end);
    at = end;
  }
}

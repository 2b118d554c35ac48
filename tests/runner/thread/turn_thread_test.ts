import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { processRow } from "../../../runner/process/process_table.ts";
import { plainTurn } from "../../support/fake_codex.ts";
import { within } from "../../support/deadline.ts";
import { fakeRig, type Rig } from "../rig.ts";

Deno.test("the thread is saved while codex exits, and not once more when nothing came after", async () => {
  await using rig = await fakeRig({
    acts: [...plainTurn("ok", { inputTokens: 7 }), { waitFor: "exit" }],
  });
  const turn = rig.turn();
  const saved = await within(savedWith(rig, 7), "the saved thread", () => "");
  const [run] = await rig.codex.runs();
  assert.ok(run && await processRow(run.pid), "codex has not exited yet");
  await rig.codex.pull("exit");
  assert.equal((await turn.end).stop_reason, "end_turn");
  assert.equal(stateFile(rig).ino, saved, "each save makes a new file");
});

/** The inode of the state once it has so many tokens. */
async function savedWith(rig: Rig, tokens: number): Promise<number | null> {
  for (;;) {
    const [one] = rig.store.list();
    if (one?.state.usageTotal.inputTokens === tokens) return stateFile(rig).ino;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function stateFile({ store }: Rig): Deno.FileInfo {
  const names = [...Deno.readDirSync(store.dir)].map(({ name }) => name);
  const [name = "none"] = names.filter((name) => /^thread-.*\.json$/.test(name));
  return Deno.statSync(join(store.dir, name));
}

/** A codex that is newer than any that was tested, before and after a self-test of it passed. */
import { strict as assert } from "node:assert";
import { TestedCodex } from "../../plugin/tested_codex.ts";
import { NEWEST_TESTED } from "../../runner/codex/capabilities.ts";
import { run } from "../plugin/operator/command_line.ts";
import { plainTurn } from "../support/fake_codex.ts";
import { Lab } from "../support/lab.ts";

Deno.test("a codex newer than any tested one is told of, until a self-test of that file has passed", async () => {
  await using lab = await Lab.open({ acts: plainTurn("hi"), version: "99.0.0" });
  const { sandbox } = lab;
  const codex = { path: sandbox.fake.path, capabilities: { version: "99.0.0" } };
  const news = async () => {
    const turn = lab.start("hello");
    assert.equal((await turn.result).stop_reason, "end_turn");
    return turn.of("status").map(({ message }) => message).filter((said) =>
      / is newer /.test(said)
    );
  };
  const byHand = async () =>
    (await run(["turn", "hello"], { env: sandbox.env, cwd: sandbox.workspace })).stderr;
  const said =
    `codex 99.0.0 is newer than ${NEWEST_TESTED}, the newest this plugin was tested with`;
  assert.deepEqual(await news(), [said]);
  assert.ok((await byHand()).includes(said));

  // What `doctor --deep` does in the end, beside the plugin that runs.
  new TestedCodex(sandbox.state).remember(codex);
  assert.deepEqual(await news(), [], "without a restart");
  assert.ok(!(await byHand()).includes("is newer"));

  Deno.utimeSync(codex.path, new Date(), new Date(0));
  assert.deepEqual(await news(), [said], "it is another file now");
  new TestedCodex(sandbox.state).remember(codex);
  assert.deepEqual(await news(), []);
  Deno.writeTextFileSync(`${sandbox.state}/tested.json`, "{ torn");
  assert.deepEqual(await news(), [said]);
});

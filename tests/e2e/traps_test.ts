/** What codex does unlike one would think, and what the host sees of it. */
import { strict as assert } from "node:assert";
import { command } from "../support/model/items.ts";
import { codexBinary, OLDEST_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { asks, EVERY_WAY, openWorld, VERSIONS } from "./world.ts";

for (const version of EVERY_WAY) {
  Deno.test(`calls that codex ${version} prints nowhere are told all the same`, async () => {
    await using world = await openWorld(version, {
      steps: [
        {
          items: [{
            type: "function_call",
            name: "no_such_tool",
            args: { a: 1 },
            call_id: "call_1",
          }],
        },
        {
          items: [{
            type: "custom_tool_call",
            name: "apply_patch",
            input: "*** Begin Patch\n*** Update File: missing.txt\n@@\n-a\n+b\n*** End Patch",
            call_id: "call_2",
          }],
        },
        { text: "so be it" },
      ],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "try"));
    assert.equal((await turn.result).stop_reason, "end_turn");
    const told = turn.seen.filter(({ type }) => type !== "status");
    assert.deepEqual(
      told.map((event) => "id" in event ? `${event.type} ${event.id}` : event.type),
      [
        "message_start",
        ...["tool_call_start call_1", "tool_call_end call_1", "tool_result call_1"],
        ...["tool_call_start call_2", "tool_call_end call_2", "tool_result call_2"],
        "text_delta",
        "message_end",
      ],
    );
  });

  Deno.test({
    name: `call that a hook of the user's refused on codex ${version} is told as an error`,
    ignore: version === OLDEST_CODEX, // its hooks want to be trusted by hand
    fn: async () => {
      await using world = await openWorld(version, {
        config: { extra_args: ["--dangerously-bypass-hook-trust"] },
        codexToml: `
[[hooks.PreToolUse]]
matcher = ".*"
[[hooks.PreToolUse.hooks]]
type = "command"
command = "echo 'not today' >&2; exit 2"
`,
        steps: [
          { items: [command("echo hi", "call_1")] },
          { text: "so be it" },
        ],
      });
      const turn = world.host.stream(asks(world.sandbox.workspace, "try"));
      assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      const [result] = turn.of("tool_result");
      assert.match(String(result?.output), /^Command blocked by PreToolUse hook: not today/);
      assert.equal(result?.is_error, true);
    },
  });

  Deno.test(`response without a word ends a turn of codex ${version} well`, async () => {
    await using world = await openWorld(version, { steps: [{ items: [] }] });
    const turn = world.host.stream(asks(world.sandbox.workspace, "say nothing"));
    assert.equal((await turn.result).stop_reason, "end_turn");
    assert.equal(turn.text, "");
  });

  Deno.test(`several messages of codex ${version} read well one after the other, each with its phase`, async () => {
    await using world = await openWorld(version, {
      steps: [{
        items: [
          { type: "reasoning", summary: ["**One**", "**Two**"] },
          { type: "message", text: "First.", phase: "commentary" },
          { type: "message", text: "Second.\n", phase: "commentary" },
          { type: "message", text: "Last.", phase: "final_answer" },
        ],
      }],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "talk"));
    await turn.result;
    assert.equal(turn.text, "First.\n\nSecond.\n\n\nLast.");
    assert.deepEqual(turn.of("text_delta").map(({ index }) => index), [0, 1, 2]);
    const thoughts = turn.of("thinking_delta").map(({ text }) => text);
    assert.equal(thoughts.join(""), "**One**\n**Two**");
    const phases = turn.of("text_delta").flatMap(({ phase }) => phase ?? []);
    assert.ok(phases.every((phase) => /^(commentary|final_answer)$/.test(phase)));
  });

  Deno.test(`warnings of codex ${version} are told and harm nothing`, async () => {
    await using world = await openWorld(version);
    const params = { ...asks(world.sandbox.workspace, "hello"), model: "no-such-model" };
    const turn = world.host.stream(params);
    assert.equal((await turn.result).stop_reason, "end_turn");
    assert.equal(turn.of("message_start")[0]?.model, "no-such-model");
    const warnings = turn.of("status").filter(({ message }) => /metadata/i.test(message));
    // 0.135 says it on stderr.
    assert.equal(warnings.length, version === OLDEST_CODEX ? 0 : 1, turn.story());
    assert.equal(world.sandbox.model.asked[0]?.model, "no-such-model");
  });
}

for (const version of VERSIONS) {
  Deno.test(`npm's launcher of codex ${version} is replaced by the binary behind it`, async () => {
    const { launcher, native } = await codexBinary(version);
    await using sandbox = await openSandbox({ binary: launcher, steps: [{ hang: true }] });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();
    const turn = host.stream(asks(sandbox.workspace, "think"));
    await sandbox.model.received(1);
    const children = (await sandbox.processes()).filter(({ ppid }) => ppid === host.pid);
    assert.deepEqual(children.map(({ command }) => command.split(" ")[0]), [native]);
    assert.ok(children[0]?.pid === children[0]?.pgid, "in a group of its own");
    await turn.cancel();
    assert.equal((await turn.end()).stop_reason, "cancelled");
  });
}

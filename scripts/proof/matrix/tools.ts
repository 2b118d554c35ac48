/**
 * Scenarios of codex's own tools: a command, a patch, several calls at once, and one that fails.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { callOutput } from "../../../tests/support/model/request.ts";
import { command } from "../../../tests/support/model/items.ts";
import { typesOf } from "../../../tests/support/host.ts";
import type { Turn } from "../../../tests/support/turn.ts";
import type { Scenario } from "./run.ts";

/** What the host was told that a call came to: all its outputs as text, and whether it failed. */
export function resultOf(turn: Turn, id: string): { output: string; failed: boolean } {
  const results = turn.of("tool_result").filter((event) => event.id === id);
  assert.ok(results.length > 0, `no result of ${id}\n${turn.story()}`);
  return {
    output: results.map(({ output }) => JSON.stringify(output)).join("\n"),
    failed: results.some(({ is_error }) => is_error),
  };
}

/** A command runs in the workspace. */
export const shell: Scenario = {
  name: "shell",
  promise: "call, arguments and output of a command, with codex's own call id, in the true order",
  async play(lab) {
    const { turn, asked } = await lab.succeed("run it", {
      steps: [
        {
          items: [{ type: "message", text: "I will." }, command("pwd; echo d$((1+1))n", "call_1")],
        },
        { text: "ran" },
      ],
    });
    const calls = typesOf(turn.seen).filter((type) => type !== "status");
    assert.deepEqual(calls, [
      ...["message_start", "text_delta", "tool_call_start", "tool_call_end", "tool_result"],
      ...["text_delta", "message_end"],
    ]);
    const start = { type: "tool_call_start", id: "call_1", name: "exec_command", source: "codex" };
    assert.deepEqual(turn.of("tool_call_start"), [start]);
    assert.equal(turn.of("tool_call_end")[0]?.arguments, '{"cmd":"pwd; echo d$((1+1))n"}');
    const { output, failed } = resultOf(turn, "call_1");
    assert.ok(output.includes(lab.sandbox.workspace) && output.includes("d2n"), output);
    assert.equal(failed, false);
    assert.match(callOutput(asked[1] ?? { model: "", input: [] }, "call_1") ?? "", /d2n/);
  },
};

/** A patch that adds, changes and deletes. */
export const patch: Scenario = {
  name: "patch",
  promise: "a patch changes the workspace, and the call is told with the patch as its arguments",
  async play(lab) {
    const path = (name: string) => join(lab.sandbox.workspace, name);
    await Deno.writeTextFile(path("old.txt"), "a\n");
    await Deno.writeTextFile(path("gone.txt"), "x\n");
    const input = [
      ...["*** Begin Patch", "*** Add File: new.txt", "+hello", "*** Update File: old.txt", "@@"],
      ...["-a", "+b", "*** Delete File: gone.txt", "*** End Patch", ""],
    ].join("\n");
    const { turn } = await lab.succeed("patch it", {
      steps: [
        { items: [{ type: "custom_tool_call", name: "apply_patch", input, call_id: "call_p" }] },
        { text: "patched" },
      ],
    });
    assert.equal(turn.of("tool_call_start")[0]?.name, "apply_patch");
    assert.equal(turn.of("tool_call_end")[0]?.arguments, input);
    const patched = resultOf(turn, "call_p");
    assert.equal(patched.failed, false, patched.output);
    assert.equal(await Deno.readTextFile(path("new.txt")), "hello\n");
    assert.equal(await Deno.readTextFile(path("old.txt")), "b\n");
    await assert.rejects(Deno.stat(path("gone.txt")), Deno.errors.NotFound);
  },
};

/** Several calls in one response. */
export const parallelCalls: Scenario = {
  name: "parallel-calls",
  promise: "calls made at once keep their own ids, order and results",
  async play(lab) {
    const ids = ["call_a", "call_b", "call_c"];
    const { turn } = await lab.succeed("run all", {
      steps: [{ items: ids.map((id) => command(`echo out-${id}`, id)) }, { text: "ran" }],
    });
    assert.deepEqual(turn.of("tool_call_start").map(({ id }) => id), ids);
    for (const id of ids) assert.match(resultOf(turn, id).output, new RegExp(`out-${id}`));
  },
};

/** A command that fails. */
export const failingTool: Scenario = {
  name: "failing-tool",
  promise: "a failed command is an error result, the turn goes on",
  async play(lab) {
    const { turn, asked } = await lab.succeed("try", {
      steps: [{ items: [command("echo broken >&2; exit 3", "call_f")] }, { text: "it failed" }],
    });
    const { output, failed } = resultOf(turn, "call_f");
    assert.match(output, /broken/);
    assert.match(output, /code 3/);
    assert.equal(turn.text, "it failed");
    assert.match(JSON.stringify(asked[1]?.input), /broken/);
    assert.equal(failed, true, turn.story());
  },
};

/**
 * What a thread holds, and taking it out, as an operator does it; then codex itself goes on with it.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { callOutput } from "../support/model/request.ts";
import { run } from "../plugin/operator/command_line.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { openSandbox } from "../support/sandbox.ts";

Deno.test("sessions list, show and consume; the next turn no longer sees what was consumed", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [
      {
        items: [{
          type: "function_call",
          name: "exec_command",
          args: { cmd: "yes harbour | head -c 3000" },
          call_id: "call_big",
        }],
      },
      { text: "Seen." },
      (request) => ({ text: `I see: ${callOutput(request, "call_big")}` }),
    ],
  });
  const { env, workspace: cwd, root } = sandbox;
  const sessions = async (...args: string[]) => await run(["sessions", ...args], { env, cwd });

  assert.equal((await sessions("list")).stdout, "No turn has been remembered yet.\n");
  const turn = await run(["turn", "look"], { env, cwd });
  assert.equal(turn.code, 0, turn.stderr);

  const list = await sessions("list");
  assert.match(list.stdout, /^[0-9a-f-]{36} hand:default\n/);
  assert.match(list.stdout, /1 turn · 1 call · calls hold 3\.\d kB \(about \d+\s+tokens\)/);
  const [entry] = JSON.parse((await sessions("list", "--json")).stdout);
  assert.deepEqual([entry.agentId, entry.workspace, entry.calls], ["hand:default", cwd, 1]);

  const shown = await sessions("show");
  assert.match(shown.stdout, /\nTurn 1 {2}look\n {2}call_big {2}exec_command yes harbour/);
  const page = join(root, "thread.html");
  assert.equal((await sessions("show", entry.threadId.slice(0, 13), "--html", page)).code, 0);
  assert.match(Deno.readTextFileSync(page), /call_big/);

  const dry = await sessions("consume", "hand:default", "--larger-than", "1000", "--dry-run");
  assert.match(
    dry.stdout,
    /call_big {2}exec_command\nWould consume 1 call, 3\.\d kB\. Nothing was/,
  );
  assert.equal(JSON.parse((await sessions("list", "--json")).stdout)[0].consumedCalls, 0);
  const none = await sessions("consume", "hand:default", "--all", "--keep-turns", "1", "--dry-run");
  assert.equal(none.stdout, "Nothing would be consumed.\n");

  const consumed = await sessions("consume", "hand:default", "call_big", "call_none");
  assert.equal(consumed.stdout, "consumed 1 of 2\ncall_none: unknown id\n");
  assert.match((await sessions("show")).stdout, /call_big .* consumed\n/);
  const next = await run(["turn", "what do you see?"], { env, cwd });
  assert.equal(next.stdout, "I see: ...(consumed)\n");
});

Deno.test("sessions says which thread it does not know, and needs to be told which calls", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const { env } = sandbox;
  const unknown = await run(["sessions", "show", "nobody"], { env });
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no thread fits "nobody"; see sessions list/);
  const id = "01a2033c-52d1-7b70-b23b-5363e2ac6ad0";
  const missing = await run(["sessions", "show", id], { env });
  assert.match(missing.stderr, /has no session file: not below .*codex/);
  assert.equal((await run(["sessions"], { env })).code, 64);
});

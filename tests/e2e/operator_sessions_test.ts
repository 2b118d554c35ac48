/**
 * What a thread holds, and taking it out, as an operator does it; then codex itself goes on with it.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { exists } from "../../base/files.ts";
import { pause } from "../../base/timer.ts";
import { command } from "../support/model/items.ts";
import { callOutput } from "../support/model/request.ts";
import type { Step } from "../support/model/step.ts";
import { run } from "../plugin/operator/command_line.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { openSandbox } from "../support/sandbox.ts";

/** The model calls a command whose output is worth a consume. */
const BIG_CALL: Step = { items: [command("yes harbour | head -c 3000", "call_big")] };

Deno.test("sessions list, show and consume; the next turn no longer sees what was consumed", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [
      BIG_CALL,
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
  assert.match(list.stdout, /1 turn · 1 call · calls hold about \d+ tokens \(3\.\d kB\)/);
  const [entry] = JSON.parse((await sessions("list", "--json")).stdout);
  assert.deepEqual([entry.agentId, entry.workspace, entry.calls], ["hand:default", cwd, 1]);

  const shown = await sessions("show");
  assert.match(shown.stdout, /\nTurn 1 {2}look\n {2}call_big {2}exec_command yes harbour/);
  const page = join(root, "thread.html");
  assert.equal((await sessions("show", entry.threadId.slice(0, 13), "--html", page)).code, 0);
  assert.match(Deno.readTextFileSync(page), /call_big[^]*harbour\nharbour/);
  const lost = await sessions("show", "--html", join(root, "none", "x.html"));
  assert.deepEqual([lost.code, lost.stdout], [1, ""]);
  assert.match(
    lost.stderr,
    /^Cannot write .*x\.html: there is no such file or directory\n$/,
  );

  const dry = await sessions("consume", "hand:default", "--larger-than", "1000", "--dry-run");
  const [, would = ""] =
    /call_big {2}exec_command\nWould consume 1 call, ([\d,]+) bytes, about \d+ tokens\. Nothing was/
      .exec(dry.stdout) ?? [];
  assert.equal(JSON.parse((await sessions("list", "--json")).stdout)[0].consumedCalls, 0);
  const none = await sessions("consume", "hand:default", "--all", "--keep-turns", "1", "--dry-run");
  assert.equal(none.stdout, "Nothing would be consumed.\n");

  const consumed = await sessions("consume", "hand:default", "call_big", "call_none");
  assert.equal(consumed.stdout, `Consumed 1 of 2, ${would} bytes.\n`);
  assert.deepEqual([consumed.code, consumed.stderr], [
    1,
    "call_none: the thread has no such call\n",
  ]);
  const [after] = JSON.parse((await sessions("list", "--json")).stdout);
  assert.equal(entry.heldBytes - after.heldBytes, Number(would.replace(",", "")), "to the byte");
  assert.ok(after.freedBytes > 2500);
  const again = await sessions("consume", "hand:default", "call_big");
  assert.deepEqual([again.code, again.stdout], [0, "Consumed 0 of 1, 0 bytes.\n"]);
  assert.match(again.stderr, /^call_big: there is nothing to take out: consumed before/);
  assert.equal(
    (await sessions("consume", "hand:default", "--all", "--dry-run")).stdout,
    "Nothing would be consumed.\n",
  );
  assert.match((await sessions("show")).stdout, /call_big .* consumed\n/);
  const next = await run(["turn", "what do you see?"], { env, cwd });
  assert.equal(next.stdout, "I see: ...(consumed)\n");

  assert.equal(
    (await run(["completion", "names", "threads"], { env })).stdout,
    `${entry.threadId}\nhand:default\n`,
  );
  assert.match(
    (await sessions("release", "hand:default")).stdout,
    /^No codex has thread [0-9a-f-]{36} loaded/,
  );
  assert.match((await sessions("prune")).stdout, /^Forgot 0 threads\.\n$/);
  assert.match(
    (await sessions("forget", "hand:default", "--dry-run")).stdout,
    /Nothing was changed/,
  );
  const forgot = await sessions("forget", "hand:default");
  assert.match(forgot.stdout, /^Forgot [0-9a-f-]{36} \(agent hand:default, /);
  assert.equal((await sessions("list")).stdout, "No turn has been remembered yet.\n");
  assert.match((await sessions("show", entry.threadId)).stdout, /Turn 2 {2}what do you see\?/);
  const left = [
    ...Deno.readDirSync(join(sandbox.profile, "plugins", "plexum-openai-provider", "state")),
  ].map(({ name }) => name);
  assert.ok(!left.some((name) => name.startsWith(entry.threadId)), left.join(", "));
});

Deno.test("sessions prune forgets the thread whose session file or workspace is gone", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [{ text: "one" }, { text: "two" }],
  });
  const { env, root } = sandbox;
  const workspace = join(root, "gone");
  Deno.mkdirSync(workspace);
  assert.equal((await run(["turn", "-C", workspace, "a"], { env })).code, 0);
  assert.equal((await run(["turn", "b"], { env, cwd: sandbox.workspace })).code, 0);
  Deno.removeSync(workspace, { recursive: true });
  const dry = await run(["sessions", "prune", "--dry-run"], { env });
  assert.match(dry.stdout, /gone\): its workspace is gone\nWould forget 1 thread\.\n$/);
  assert.equal((await run(["sessions", "prune"], { env })).code, 0);
  const listed = JSON.parse((await run(["sessions", "list", "--json"], { env })).stdout);
  assert.deepEqual(listed.map((one: { workspace: string }) => one.workspace), [sandbox.workspace]);
});

Deno.test("sessions says which thread it does not know, and needs to be told which calls", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const { env } = sandbox;
  const unknown = await run(["sessions", "show", "nobody"], { env });
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /No thread fits "nobody"; see sessions list/);
  const id = "01a2033c-52d1-7b70-b23b-5363e2ac6ad0";
  const missing = await run(["sessions", "show", id], { env });
  assert.match(missing.stderr, /has no session file: it is not below .*codex/);
  assert.equal((await run(["sessions"], { env })).code, 64);
});

Deno.test("an agent with a CODEX_HOME of its own has its turns, its threads and its consumes there", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [
      BIG_CALL,
      { text: "Seen." },
    ],
  });
  const { env, workspace: cwd, root, codexHome } = sandbox;
  const own = join(root, "own");
  Deno.mkdirSync(own);
  Deno.copyFileSync(join(codexHome, "config.toml"), join(own, "config.toml"));
  await sandbox.configure({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    agents: { cx: { env: { CODEX_HOME: own } } },
  });
  assert.equal((await run(["turn", "--agent", "cx", "look"], { env, cwd })).code, 0);
  const [entry] = JSON.parse((await run(["sessions", "list", "--json"], { env })).stdout);
  assert.ok(entry.path.startsWith(`${own}/sessions/`), entry.path);
  const consumed = await run(["sessions", "consume", "cx", "--all"], { env });
  assert.match(consumed.stdout, /^Consumed 1 of 1, /);
});

Deno.test("sessions consume and release see a codex that has the thread, from a shell without its CODEX_HOME", async () => {
  const binary = (await codexBinary(NEWEST_CODEX)).native;
  await using sandbox = await openSandbox({ binary, steps: [BIG_CALL, { text: "Seen." }] });
  const { env, workspace: cwd, codexHome, profile } = sandbox;
  assert.equal((await run(["turn", "look"], { env, cwd })).code, 0);
  const { CODEX_HOME: _unset, ...shell } = env;
  const sessions = (...args: string[]) => run(["sessions", ...args], { env: shell, cwd });
  const [{ threadId }] = JSON.parse((await sessions("list", "--json")).stdout);
  const lock = Deno.openSync(join(codexHome, "thread-writer-locks", `${threadId}.lock`), {
    write: true,
    create: true,
  });
  lock.lockSync(true); // as a codex does that has it open
  const consumed = await sessions("consume", "hand:default", "--all");
  assert.match(consumed.stdout, /^Consumed 0 of 1, 0 bytes\.\n1 wait until codex is done/);

  let over = false;
  const releasing = sessions("release", "hand:default").finally(() => over = true);
  const request = join(profile, "plugins/plexum-openai-provider/state", `${threadId}.release`);
  while (!over && !exists(request)) await pause(20);
  lock.close();
  assert.match((await releasing).stdout, /^The plugin has let go of thread/);
});

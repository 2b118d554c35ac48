/** What tests rely on in the fake codex: its lines, its rollout, its marks and its children. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { completed, fakeCodex, plainTurn } from "./fake_codex.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";
import { locateRolloutSync } from "../../rollout/locate.ts";

function start(path: string, args: string[], sandbox: Sandbox): Deno.ChildProcess {
  const { env, workspace: cwd } = sandbox;
  const piped = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(path, { args, env, clearEnv: true, cwd, ...piped }).spawn();
}

async function finish(child: Deno.ChildProcess, stdin: string): Promise<Deno.CommandOutput> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  return await child.output();
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("fake codex plays a turn, resumes its thread and shows how it was started", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const rollout = {
    rollout: [{ type: "response_item", payload: { type: "message", said: "$PROMPT" } }],
  };
  const codex = await fakeCodex(sandbox.root, {
    acts: [rollout, ...plainTurn("you said $PROMPT")],
  });
  const first = await finish(start(codex.path, ["exec", "--json", "-"], sandbox), 'a "fact"');
  assert.equal(first.code, 0);
  const lines = text(first.stdout).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.type), [
    ...["thread.started", "turn.started", "item.completed", "turn.completed"],
  ]);
  assert.equal(lines[2].item.text, 'you said a "fact"');
  const id: string = lines[0].thread_id;
  await finish(start(codex.path, ["exec", "resume", "--", id, "-"], sandbox), "more");
  const [one, two] = await codex.runs();
  assert.deepEqual([one?.resumed, two?.resumed, two?.thread], [false, true, id]);
  assert.equal(two?.prompt, "more");

  const located = locateRolloutSync(sandbox.codexHome, id);
  assert.equal(located.kind, "found");
  const path = located.kind === "found" ? located.path : "";
  const records = (await Deno.readTextFile(path)).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual(records.map((r) => [r.ordinal, r.type]), [
    ...[[0, "session_meta"], [1, "response_item"], [2, "response_item"]],
  ]);
  assert.equal(records[2].payload.said, "more");
});

Deno.test("fake codex waits for its triggers and ends as told", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const codex = await fakeCodex(sandbox.root, {
    acts: [{ mark: "here" }, { waitFor: "go" }, { stderr: "trouble\n" }, { exit: 7 }],
  });
  const child = start(codex.path, ["exec", "-"], sandbox);
  const ended = finish(child, "");
  assert.equal(await codex.reached("here"), child.pid);
  await codex.pull("go");
  const { code, stderr } = await ended;
  assert.deepEqual([code, text(stderr)], [7, "trouble\n"]);
  await codex.play({ acts: [{ kill: "SIGSEGV" }] });
  assert.equal((await finish(start(codex.path, ["exec", "-"], sandbox), "")).signal, "SIGSEGV");
});

Deno.test("fake codex floods without losing a line, and ends when nobody reads", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const flood = { flood: { count: 20_000, padBytes: 100, print: { n: "$N", pad: "$PAD" } } };
  const codex = await fakeCodex(sandbox.root, { acts: [flood, completed()] });
  const { stdout, stderr } = await finish(start(codex.path, ["exec", "-"], sandbox), "");
  assert.equal(text(stderr), "");
  const lines = text(stdout).trim().split("\n");
  assert.equal(lines.length, 20_001);
  assert.equal(JSON.parse(lines[19_999] ?? "").n, "19999");
  const child = start(codex.path, ["exec", "-"], sandbox);
  await child.stdout.cancel();
  await child.stdin.close();
  await child.stderr.cancel();
  assert.equal((await child.status).code, 101);
});

Deno.test("fake codex leaves children that a group kill does not reach, and the sandbox sees them", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const codex = await fakeCodex(sandbox.root, {
    onInterrupt: "ignore",
    acts: [
      { child: { name: "near", ignore: ["SIGTERM"] } },
      { child: { name: "session", escape: "session", ignore: ["SIGINT", "SIGTERM"] } },
      { child: { name: "orphan", escape: "orphan" } },
      { mark: "all" },
      { hang: true },
    ],
  });
  const child = start(codex.path, ["exec", "-"], sandbox);
  await child.stdin.close();
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  await codex.reached("all");
  child.kill("SIGINT");
  await codex.reached("SIGINT");
  const pids = await Promise.all(["near", "session", "orphan"].map((mark) => codex.reached(mark)));
  const living = await sandbox.processes();
  const of = (pid: number | undefined) => living.find((process) => process.pid === pid);
  assert.equal(of(pids[0])?.pgid, of(child.pid)?.pgid);
  assert.notEqual(of(pids[1])?.pgid, of(child.pid)?.pgid);
  assert.notEqual(of(pids[2])?.ppid, child.pid);
  for (const { pid } of living) Deno.kill(pid, "SIGKILL");
  assert.equal((await child.status).signal, "SIGKILL");
});

Deno.test("sandbox fails when a process of its own is left behind", async () => {
  const sandbox = await openSandbox({ binary: "codex" });
  const child = new Deno.Command("sleep", { args: ["1000"], cwd: sandbox.workspace }).spawn();
  const { noProcessUnder } = await import("./processes.ts");
  await assert.rejects(noProcessUnder(sandbox.root, 0), /1 processes were left .*\n.*sleep 1000/);
  assert.equal((await child.status).signal, "SIGKILL");
  await sandbox[Symbol.asyncDispose]();
  await assert.rejects(Deno.lstat(join(sandbox.root, "w")), Deno.errors.NotFound);
});

/**
 * Turns by hand through the executable, with a real codex and the scripted model.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import * as z from "zod/mini";
import { command } from "../support/model/items.ts";
import { assistantTexts, callOutput } from "../support/model/request.ts";
import type { ScriptedStep } from "../support/model/step.ts";
import { StreamEvent } from "../../plugin/protocol.ts";
import { StateStore } from "../../rollout/state/state.ts";
import { executable } from "../support/checkout.ts";
import { run } from "../plugin/operator/command_line.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { began, fakeCodex, plainTurn } from "../support/fake_codex.ts";
import { PIXEL } from "../support/pixel.ts";
import { openSandbox } from "../support/sandbox.ts";

const LOOKS: ScriptedStep = {
  items: [
    { type: "message", text: "I will look.", phase: "commentary" },
    command("printf 'a\\033]0;evil\\007b\\033[31m'", "call_1"),
  ],
};

Deno.test("turn prints the answer on stdout, the rest on stderr, and goes on where it was", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [
      LOOKS,
      { text: "Here you are." },
      (request) => ({ text: `I said: ${assistantTexts(request).join(" ")}` }),
      (request) => ({ text: `Here I said: ${assistantTexts(request).length}` }),
    ],
  });
  const { env, workspace } = sandbox;
  const log = join(sandbox.root, "log.jsonl");
  const first = await run(["turn", "-C", workspace, "--log-file", log, "what", "is", "here?"], {
    env,
  });
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, "I will look.\n\nHere you are.\n");
  assert.match(first.stderr, /^thread [0-9a-f-]{36} \(new\)\n→ exec_command printf /);
  assert.match(
    first.stderr,
    /\n■ end turn · [\d.]+ s · .* tokens in · [\d,]+ out · 1 tool\s+call\n$/,
  );
  assert.doesNotMatch(first.stdout + first.stderr, /(?!\n)\p{Cc}/u, "no escapes get through");
  const line: Record<string, unknown> = JSON.parse(Deno.readTextFileSync(log).trim());
  const { msg, agent, stop_reason, tool_calls, tool_output_bytes } = line;
  assert.deepEqual({ msg, agent, stop_reason, tool_calls }, {
    msg: "codex turn complete",
    agent: "hand:default",
    stop_reason: "end_turn",
    tool_calls: 1,
  });
  assert.ok(Number(tool_output_bytes) > 0);

  const second = await run(["turn", "-C", workspace, "-"], { env, stdin: "and again?" });
  assert.equal(second.stdout, "I said: I will look. Here you are.\n");
  const other = await run(["turn", "-C", workspace, "--session", "other", "new"], { env });
  assert.equal(other.stdout, "Here I said: 0\n");
  assert.deepEqual([...Deno.readDirSync(workspace)], [], "the agent's session file is left alone");
});

Deno.test("turn --json prints the events that a host gets, and --tools offers canned tools", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [
      ({ tools = [] }) => ({
        items: [{
          type: "function_call",
          namespace: tools.find(({ name }) => name?.startsWith("mcp__"))?.name ?? "none",
          name: "tide",
          args: { place: "Hythe" },
          call_id: "call_tide",
        }],
      }),
      (request) => ({
        text: /High water at \w+/.exec(callOutput(request, "call_tide") ?? "")?.[0] ?? "",
      }),
    ],
  });
  const tools = join(sandbox.root, "tools.json");
  Deno.writeTextFileSync(
    tools,
    `{ "tools": [{ "name": "tide", "inputSchema": { "type": "object" }, "result": "High water at noon" }] }`,
  );
  const ran = await run(["turn", "--json", "--tools", tools, "when?"], {
    env: sandbox.env,
    cwd: sandbox.workspace,
  });
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stderr, "");
  const events = ran.stdout.trim().split("\n").map((line) =>
    z.parse(StreamEvent, JSON.parse(line))
  );
  assert.deepEqual(events.map(({ type }) => type), [
    "message_start",
    "tool_call_start",
    "tool_call_end",
    "tool_result",
    "text_delta",
    "message_end",
  ]);
  const start = events[1];
  assert.ok(start?.type === "tool_call_start" && start.source === "host" && start.name === "tide");
  const text = events[4];
  assert.ok(text?.type === "text_delta" && text.text === "High water at noon");

  Deno.writeTextFileSync(tools, `{ "tools": [{ "name": 5 }] }`);
  const broken = await run(["turn", "--tools", tools, "when?"], { env: sandbox.env });
  assert.equal(broken.code, 1);
  assert.match(
    broken.stderr,
    /Cannot use the tools in .*: tools\[0\]\.name: expected string, found number 5/,
  );
});

Deno.test("turn shows pictures to the model, whatever their names, and is quiet when asked", async () => {
  await using sandbox = await openSandbox({
    binary: (await codexBinary(NEWEST_CODEX)).native,
    steps: [(request) => ({
      text: `I see ${JSON.stringify(request.input).match(/"input_image"/g)?.length ?? 0} pictures.`,
    })],
  });
  const { env, root } = sandbox;
  const words = ["one.png", "two, three.png"].flatMap((name) => {
    Deno.writeFileSync(
      join(root, name),
      Uint8Array.from(atob(PIXEL.png), (char) => char.charCodeAt(0)),
    );
    return ["--image", name];
  });
  const ran = await run(["turn", "-q", "-C", sandbox.workspace, ...words, "what is it?"], {
    env,
    cwd: root,
  });
  assert.deepEqual(ran, { code: 0, stdout: "I see 2 pictures.\n", stderr: "" });

  const log = await run(["turn", "--log-file", join(root, "none", "log"), "x"], { env });
  assert.deepEqual([log.code, log.stdout], [1, ""]);
  assert.match(
    log.stderr,
    /^Cannot write --log-file .*none\/log: there is no such file or directory\n$/,
  );
  const tools = await run(["turn", "--tools", root, "x"], { env });
  assert.match(tools.stderr, /^Cannot read --tools .*: it is a directory\n$/);
});

Deno.test("turn ends when the thread is saved, also what codex recorded after its last word", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const record = { type: "event_msg", payload: { type: "token_count", info: null } };
  const fake = await fakeCodex(sandbox.root, {
    acts: [...plainTurn("hi"), { rollout: Array(100).fill(record) }],
  });
  await sandbox.configure({ binary: fake.path });
  const { env, workspace: cwd } = sandbox;
  for (const prompt of ["first", "second"]) {
    assert.equal((await run(["turn", prompt], { env, cwd })).code, 0);
    const { rolloutPath = "", endOffset } = new StateStore(sandbox.state).list()[0]?.state ?? {};
    assert.equal(endOffset, Deno.statSync(rolloutPath).size, prompt);
  }
});

Deno.test("turn says why it cannot start, and what it does not understand", async () => {
  await using sandbox = await openSandbox({ binary: "/nowhere/codex" });
  const { env, workspace: cwd } = sandbox;
  const missing = await run(["turn", "hello"], { env, cwd });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /codex_missing: codex: no executable "\/nowhere\/codex" found/);
  assert.match(missing.stderr, /→ Install it/);
  const json = await run(["turn", "--json", "hello"], { env, cwd });
  assert.equal(JSON.parse(json.stdout).error.kind, "codex_missing");
  const cases: [string[], RegExp][] = [
    [["turn"], /PROMPT\.\.\. is missing: stdin is empty/],
    [
      ["turn", "-C", join(cwd, "none"), "x"],
      /--workspace needs a directory that exists, found ".*none"/,
    ],
    [["turn", "--agent", "a", "--session", "b", "x"], /exclude each other/],
  ];
  for (const [args, message] of cases) {
    const ran = await run(args, { env, cwd });
    assert.equal(ran.code, 64);
    assert.match(ran.stderr, message);
  }
  await sandbox.configure({ sandbox: "none" });
  assert.equal((await run(["turn", "x"], { env, cwd })).code, 78);
});

Deno.test("turn ends codex at the first Ctrl-C and kills it at the second", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const fake = await fakeCodex(sandbox.root, {
    acts: [began(), { mark: "running" }, { hang: true }],
    byPrompt: { stubborn: [began(), { mark: "stubborn" }, { hang: true }] },
  });
  await sandbox.configure({ binary: fake.path, timeouts: { grace_ms: 600_000 } });
  const start = async (prompt: string) => {
    const { command, args } = await executable();
    const child = new Deno.Command(command, {
      args: [...args, "turn", "-C", sandbox.workspace, "--session", prompt, prompt],
      env: sandbox.env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return child;
  };
  const first = await start("polite");
  await fake.reached("running");
  first.kill("SIGINT");
  assert.equal((await first.status).code, 130);

  await fake.play({
    acts: [began(), { mark: "again" }, { hang: true }],
    onInterrupt: "ignore",
  });
  const second = await start("stubborn");
  await fake.reached("again");
  second.kill("SIGINT");
  await fake.reached("SIGINT");
  second.kill("SIGINT");
  assert.equal((await second.status).code, 130);
  // That nothing is left running is seen to when the sandbox ends.
});

/** Whole turns on a fake codex: what the real one cannot be made to do. */
import { NEWEST_TESTED } from "../../runner/codex/capabilities.ts";
import { mutate } from "../../rollout/consume/consume.ts";
import { StateStore } from "../../rollout/state/state.ts";
import { cancelledBefore } from "../../runner/turn.ts";
import { CodexHome } from "../rollout/rollouts.ts";
import { crashInLastWrite, type FaultyDisk } from "../rollout/faulty_disk.ts";
import { failing } from "../support/failing_system.ts";
import { homeOfUser } from "../../runner/codex/environment.ts";
import { encodeBase64 } from "../../base/picture.ts";
import { PIXEL } from "../support/pixel.ts";
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { TurnError } from "../../runner/turn_event.ts";
import { began, completed, failed, plainTurn, said } from "../support/fake_codex.ts";
import { fakeRig, namesIn, type Rig, type RigTurn } from "./rig.ts";

const types = (turn: RigTurn): string => turn.events.map(({ type }) => type).join(" ");
const textOf = (turn: RigTurn): string =>
  turn.events.map((event) => event.type === "text_delta" ? event.text : "").join("");
const statusesOf = (turn: RigTurn): string[] =>
  turn.events.flatMap((event) => event.type === "status" ? [event.message] : []);

async function failureOf(turn: RigTurn): Promise<TurnError["failure"]> {
  const error: unknown = await turn.end.then(() => undefined, (error) => error);
  assert.ok(error instanceof TurnError, `the turn must not start: ${types(turn)}`);
  return error.failure;
}

/** Nothing of a turn is left: no file of it, no line in the log that says so. */
function nothingIsLeft(rig: Rig): void {
  assert.deepEqual(namesIn(rig.running), []);
  assert.deepEqual(rig.logs.filter(({ level }) => level === "warning"), []);
}

Deno.test("runTurn tells a plain turn, remembers its thread and resumes it", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hello $PROMPT", { inputTokens: 70 }) });
  const first = rig.turn({ text: "world" });
  const { thread_id: threadId, stop_reason: stopReason, usage } = await first.end;
  assert.equal(types(first), "message_start text_delta status message_end");
  assert.equal(textOf(first), "hello world");
  assert.deepEqual([stopReason, usage.input_tokens, usage.output_tokens], ["end_turn", 70, 10]);

  await rig.codex.play({ acts: plainTurn("again", { inputTokens: 100, outputTokens: 25 }) });
  const second = rig.turn();
  assert.equal((await second.end).thread_id, threadId);
  assert.deepEqual(second.events[0], {
    type: "message_start",
    model: "codex",
    thread_id: threadId,
    resumed: true,
  });
  const runs = await rig.codex.runs();
  assert.deepEqual(runs.map(({ resumed }) => resumed), [false, true]);
  assert.deepEqual(runs[1]?.args.slice(-4), ["resume", "--", threadId, "-"]);
  nothingIsLeft(rig);
});

Deno.test("runTurn tells the end of a turn that is cancelled while a limit ends it", async () => {
  await using rig = await fakeRig({
    acts: [{ hang: true }],
    onInterrupt: [{ mark: "late" }, { waitFor: "cancel" }, { exit: 1 }],
  });
  rig.settings.limits.start = 6_000;
  rig.settings.graceMs = 30_000;
  const turn = rig.turn();
  await rig.codex.reached("late");
  turn.cancel();
  await rig.codex.pull("cancel");
  assert.equal((await turn.end).stop_reason, "cancelled");
  assert.equal(types(turn), "message_end");
});

Deno.test("cancelledBefore ends a turn also where its state cannot be read", () => {
  using home = new CodexHome();
  const store = new StateStore(join(home.dir, "state"));
  const owner = { agentId: "cx", workspace: "/w" };
  store.load = () => {
    throw new Error("Too many open files (os error 24)");
  };
  const { stop_reason, thread_id } = cancelledBefore(store, owner).end;
  assert.deepEqual([stop_reason, thread_id], ["cancelled", ""]);
});

Deno.test("runTurn does not tell what somebody else did on the thread while it waited for it", async () => {
  const call = { type: "function_call", call_id: "call_1", name: "shell", arguments: "{}" };
  const asked = { type: "message", role: "user", content: [] };
  await using rig = await fakeRig({
    acts: [began(), { rollout: [{ type: "response_item", payload: asked }] }, completed()],
  });
  rig.settings.retries = 1;
  await rig.turn().end;
  await rig.codex.play({
    acts: [
      { rollout: [{ type: "response_item", payload: call }] },
      { mark: "busy" },
      { waitFor: "gone" },
      { stderr: "Error: thread already has an active writer\n" },
      { exit: 1 },
    ],
  });
  const turn = rig.turn();
  await rig.codex.reached("busy");
  await rig.codex.play({ acts: plainTurn("two") });
  await rig.codex.pull("gone");
  assert.equal((await turn.end).stop_reason, "end_turn");
  assert.match(statusesOf(turn).join(), /active writer/);
  assert.ok(!types(turn).includes("tool_call"), types(turn));
});

Deno.test("runTurn does not let codex read what a consume has left half done", async () => {
  const output = { type: "function_call_output", call_id: "call_1", output: "x".repeat(99) };
  await using rig = await fakeRig({
    acts: [began(), { rollout: [{ type: "response_item", payload: output }] }, completed()],
  });
  await rig.turn().end;
  await rig.store.saved();
  const path = rig.store.list()[0]?.state.rolloutPath ?? "";
  const { codexHome, workspace } = rig.sandbox;
  const consume = (disk: FaultyDisk) => {
    const store = new StateStore(rig.store.dir, { disk });
    const session = { store, codexHome, agentId: "cx", workspace };
    return mutate(session, [{ blockId: "call_1", op: "consume-light" }], { busy: false });
  };
  const bytes = Deno.readFileSync(path);
  await crashInLastWrite(consume, () => Deno.writeFileSync(path, bytes));
  {
    using _fault = failing("openSync", path);
    const { kind, message, retryable } = await failureOf(rig.turn());
    assert.deepEqual([kind, retryable], ["internal", true]);
    assert.match(message, /a consume of thread .* was cut short and cannot be finished.*error 24/);
  }
  assert.equal((await rig.codex.runs()).length, 1);
  assert.equal((await rig.turn().end).stop_reason, "end_turn");
});

Deno.test("runTurn says so when there is no session file to follow", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  const turn = rig.turn();
  await turn.end;
  assert.match(
    statusesOf(turn).join(),
    /no session file of thread .* its tool calls are not reported/,
  );
});

Deno.test("runTurn starts codex in the workspace, with our environment and the turn's mark", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  rig.settings.env = { EXTRA: "1" };
  await rig.turn({ text: "-starts with a dash", model: "m" }).end;
  const [run] = await rig.codex.runs();
  assert.equal(run?.cwd, rig.sandbox.workspace);
  assert.equal(run?.prompt, "-starts with a dash");
  assert.equal(run?.env.EXTRA, "1");
  assert.match(run?.env.PLEXUM_TURN ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(run?.env.PLEXUM_PROFILE_ROOT, undefined);
  assert.ok(run?.args.includes("--model=m"));
});

Deno.test("runTurn tells what the rollout has, in its order, before the text that followed", async () => {
  const record = (type: string, payload: Record<string, unknown>) => ({ type, payload });
  const call = { type: "function_call", call_id: "call_1", name: "shell", arguments: "{}" };
  const output = { type: "function_call_output", call_id: "call_1", output: "done" };
  await using rig = await fakeRig({
    acts: [
      began(),
      { rollout: [record("response_item", call), record("response_item", output)] },
      said("after the call"),
      completed(),
    ],
  });
  const turn = rig.turn();
  await turn.end;
  assert.equal(
    types(turn),
    "message_start tool_call_start tool_call_end tool_result text_delta message_end",
  );
});

Deno.test("runTurn closes calls that nobody will answer any more", async () => {
  const call = { type: "function_call", call_id: "call_1", name: "shell", arguments: "{}" };
  await using rig = await fakeRig({
    acts: [began(), { rollout: [{ type: "response_item", payload: call }] }, completed()],
  });
  const turn = rig.turn();
  await turn.end;
  const result = await turn.until("tool_result");
  assert.deepEqual([result.id, result.output, result.is_error], ["call_1", "aborted", true]);
});

Deno.test("runTurn does not stumble over broken, unknown and overlong lines", async () => {
  await using rig = await fakeRig({
    acts: [
      { print: "this is no JSON\n" },
      began(),
      { print: '{"type":"turn.comple\n' },
      { print: { type: "hologram.started", data: [1] } },
      { print: { type: "item.completed", item: { id: "item_9", type: "hologram" } } },
      {
        flood: { count: 1, padBytes: 65 * 1024 * 1024, print: { type: "error", message: "$PAD" } },
      },
      said("still here"),
      completed(),
    ],
  });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "end_turn");
  assert.equal(textOf(turn), "still here");
  const unreadable = statusesOf(turn).filter((message) => message.includes("cannot be read"));
  assert.equal(unreadable.length, 1);
  const debug = rig.logs.find(({ level }) => level === "debug");
  assert.deepEqual(debug?.data, { "hologram.started": 1, "item.completed hologram": 1 });
});

Deno.test("runTurn takes a 20 MB line", async () => {
  const padBytes = 20 * 1024 * 1024;
  const item = { id: "item_0", type: "agent_message", text: "$PAD" };
  await using rig = await fakeRig({
    acts: [
      began(),
      { flood: { count: 1, padBytes, print: { type: "item.completed", item } } },
      completed(),
    ],
  });
  const turn = rig.turn();
  await turn.end;
  assert.equal(textOf(turn).length, padBytes);
});

Deno.test("runTurn ends a turn when codex says so, not when its process goes", async () => {
  await using rig = await fakeRig({
    acts: [...plainTurn("done"), { mark: "lingers" }, { hang: true }],
    onInterrupt: "ignore",
  });
  rig.settings.graceMs = 50;
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "end_turn");
  await rig.codex.reached("SIGINT");
  nothingIsLeft(rig);
});

Deno.test("runTurn waits for a terminal event although stdout is closed, then calls it a crash", async () => {
  await using rig = await fakeRig({
    acts: [began(), said("half"), { closeStdout: true }, { hang: true }],
  });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "error");
  assert.equal((await turn.until("error")).error.kind, "crashed");
});

Deno.test("runTurn loses nothing when codex exits while its reader is slow", async () => {
  const item = { id: "item_$N", type: "agent_message", text: "$N $PAD" };
  await using rig = await fakeRig({
    acts: [
      began(),
      // Less than a pipe holds: codex is gone long before the reader takes the first line.
      { flood: { count: 30, padBytes: 1000, print: { type: "item.completed", item } } },
      completed(),
      { mark: "gone" },
    ],
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const turn = rig.turn({}, () => promise);
  const pid = await rig.codex.reached("gone");
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  resolve();
  assert.equal((await turn.end).stop_reason, "end_turn");
  assert.equal(turn.events.filter(({ type }) => type === "text_delta").length, 30);
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("runTurn reports codex's failure once, right before the end", async () => {
  await using rig = await fakeRig({
    acts: [began(), said("partial"), failed("unexpected status 404 Not Found: x"), { exit: 1 }],
  });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "error");
  assert.match(types(turn), /^message_start text_delta (status )?error message_end$/);
  assert.equal((await turn.until("error")).error.kind, "model_unavailable");
});

Deno.test("runTurn reports a crash with exit code or signal and the end of stderr", async () => {
  await using rig = await fakeRig({
    acts: [began(), said("partial"), { stderr: "thread 'main' panicked\n" }, { exit: 101 }],
  });
  const { error: failure } = await (async () => {
    const turn = rig.turn();
    await turn.end;
    return await turn.until("error");
  })();
  assert.deepEqual([failure.kind, failure.exit_code], ["crashed", 101]);
  assert.match(failure.detail ?? "", /panicked/);
  await rig.codex.play({ acts: [began(), { kill: "SIGSEGV" }] });
  const turn = rig.turn();
  await turn.end;
  assert.equal((await turn.until("error")).error.signal, "SIGSEGV");
});

Deno.test("runTurn wants exit 0 after turn.completed", async () => {
  await using rig = await fakeRig({ acts: [...plainTurn("hm"), { exit: 1 }] });
  assert.equal((await rig.turn().end).stop_reason, "error");
});

Deno.test("runTurn asks codex about the login only after an auth failure", async () => {
  const message = "unexpected status 401 Unauthorized: no key, url: http://x";
  await using rig = await fakeRig({ acts: [began(), failed(message), { exit: 1 }] });
  const turn = rig.turn();
  await turn.end;
  const { error: failure } = await turn.until("error");
  assert.equal(failure.kind, "auth_required");
  assert.equal(failure.detail, "codex login status: Not logged in");
});

Deno.test("runTurn refuses before anything is spawned what codex would not take", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  const cases: [Parameters<Rig["turn"]>[0], RegExp][] = [
    [{ text: " \n" }, /^codex: no user text in request messages$/],
    [{ text: "x".repeat(1_048_577) }, /1048577 characters/],
    [{ images: [{ block: 4, url: "https://a.b/c.png" }] }, /image 1 \(content\[4\]\) has a url/],
    [{ text: "x".repeat(1_048_570), system: "s".repeat(140_000) }, /characters, at most/],
  ];
  for (const [request, message] of cases) {
    const turn = rig.turn(request);
    const failure = await failureOf(turn);
    assert.equal(failure.kind, "invalid_request");
    assert.match(failure.message, message);
    assert.deepEqual(turn.events, []);
  }
  assert.deepEqual(await rig.codex.runs(), []);
  nothingIsLeft(rig);
});

Deno.test("runTurn says that the workspace went away", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  const failure = await failureOf(rig.turn({ workspace: join(rig.sandbox.root, "gone") }));
  assert.equal(failure.kind, "invalid_request");
  assert.match(failure.message, /the workspace .*\/gone is gone/);
});

Deno.test("runTurn tells of a codex newer than was tested", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi"), version: "9.0.0" });
  const turn = rig.turn();
  await turn.end;
  assert.ok(statusesOf(turn)[0]?.startsWith(`codex 9.0.0 is newer than ${NEWEST_TESTED}`));
  assert.equal(turn.events[0]?.type, "message_start");
});

Deno.test("runTurn ends a codex that begins another thread than it was asked to resume", async () => {
  await using rig = await fakeRig({ acts: plainTurn("one") });
  const { thread_id: threadId } = await rig.turn().end;
  const other = "01a2030c-155d-79b3-8591-236907bf9380";
  const stray = { print: { type: "thread.started", thread_id: other } };
  await rig.codex.play({ acts: [stray, said("wrong memory"), { hang: true }] });
  rig.settings.onLostSession = "fail";
  const turn = rig.turn();
  assert.equal((await failureOf(turn)).kind, "session_lost");
  assert.deepEqual(turn.events, []);
  assert.equal(rig.store.load("cx", rig.sandbox.workspace)?.threadId, threadId);
});

Deno.test("runTurn starts a new thread for a lost one, with the conversation", async () => {
  await using rig = await fakeRig({ acts: plainTurn("one") });
  const { thread_id: threadId } = await rig.turn().end;
  const lost =
    `Error: thread/resume: thread/resume failed: no rollout found for thread id ${threadId}`;
  const history = [{ role: "user", text: "I am Ada" }, { role: "assistant", text: "hello Ada" }];
  const prompt = "<earlier_conversation>\nuser: I am Ada\n\nassistant: hello Ada\n" +
    "</earlier_conversation>\n\nwho am I?";
  await rig.codex.play({
    acts: [{ stderr: `${lost} (code -32600)\n` }, { exit: 1 }],
    byPrompt: { [prompt]: plainTurn("Ada") },
  });
  const turn = rig.turn({ text: "who am I?", history });
  const end = await turn.end;
  assert.equal(end.stop_reason, "end_turn");
  assert.notEqual(end.thread_id, threadId);
  assert.equal(textOf(turn), "Ada");
  assert.match(statusesOf(turn)[0] ?? "", new RegExp(`the codex thread ${threadId} is lost`));
  assert.deepEqual(turn.events[0], {
    type: "message_start",
    model: "codex",
    thread_id: end.thread_id,
    resumed: false,
  });
});

Deno.test("runTurn starts again what did not start, as often as it is told, and says so", async () => {
  await using rig = await fakeRig({ acts: [{ stderr: "boom\n" }, { exit: 7 }] });
  assert.equal((await failureOf(rig.turn())).exit_code, 7);
  assert.equal((await rig.codex.runs()).length, 1, "retries are off");
  rig.settings.retries = 2;
  const turn = rig.turn();
  assert.equal((await failureOf(turn)).kind, "crashed");
  assert.equal((await rig.codex.runs()).length, 4);
  assert.deepEqual(turn.events, []);
  nothingIsLeft(rig);
});

Deno.test("runTurn waits a little for another writer of the thread", async () => {
  await using rig = await fakeRig({ acts: plainTurn("one") });
  const { thread_id: threadId } = await rig.turn().end;
  rig.settings.retries = 1;
  const busy = `Error: thread/resume failed: thread ${threadId} already has an active writer\n`;
  await rig.codex.play({ acts: [{ mark: "tried" }, { stderr: busy }, { exit: 1 }] });
  const turn = rig.turn();
  await rig.codex.reached("tried");
  await rig.codex.play({ acts: plainTurn("two") });
  assert.equal((await turn.end).stop_reason, "end_turn");
  assert.match(statusesOf(turn)[0] ?? "", /codex did not start: .*active writer.*trying again/);
});

Deno.test("runTurn never starts again what was told in part", async () => {
  await using rig = await fakeRig({ acts: [began(), { exit: 7 }] });
  rig.settings.retries = 5;
  assert.equal((await rig.turn().end).stop_reason, "error");
  assert.equal((await rig.codex.runs()).length, 1);
});

Deno.test("runTurn hands images and an output schema over as files that go with the turn", async () => {
  await using rig = await fakeRig({ acts: [...plainTurn("hi"), { waitFor: "look" }] });
  const images = [{ block: 0, dataBase64: PIXEL.png }];
  const turn = rig.turn({ images, outputSchema: { type: "object" } });
  await turn.until("text_delta");
  const [run] = await rig.codex.runs();
  const image = run?.args.find((arg) => arg.startsWith("--image="))?.slice("--image=".length) ?? "";
  const schema = run?.args[(run?.args.indexOf("--output-schema") ?? 0) + 1] ?? "";
  assert.equal(encodeBase64(await Deno.readFile(image)), PIXEL.png);
  assert.equal(await Deno.readTextFile(schema), '{"type":"object"}');
  await rig.codex.pull("look");
  await turn.end;
  await assert.rejects(Deno.lstat(image), Deno.errors.NotFound);
  nothingIsLeft(rig);
});

Deno.test("runTurn gives instructions at the start of a thread, and in the prompt when they change", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  for (const system of ["be kind", "be kind", "be brief", "be brief"]) {
    await rig.turn({ system }).end;
  }
  const runs = await rig.codex.runs();
  assert.ok(runs[0]?.args.includes('developer_instructions="be kind"'));
  assert.deepEqual(runs.map(({ prompt }) => prompt), [
    "do it",
    "do it",
    "<developer_instructions>\nbe brief\n</developer_instructions>\n\ndo it",
    "do it",
  ]);
});

Deno.test("runTurn says instructions in the prompt that are too long for an argument", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  // The second one is short, but not in TOML.
  for (const system of ["s".repeat(200_000), "\n".repeat(70_000)]) {
    await rig.turn({ agentId: system, system }).end;
    await rig.turn({ agentId: system, system }).end;
    const runs = (await rig.codex.runs()).slice(-2);
    assert.ok(runs[0]?.prompt.includes(system));
    assert.equal(runs[1]?.prompt, "do it", "told once");
  }
  const runs = await rig.codex.runs();
  assert.ok(runs.every(({ args }) => args.every((arg) => arg.length < 131_072)));
});

Deno.test("runTurn ends what it cannot tell", async () => {
  await using rig = await fakeRig({ acts: [...plainTurn("hi"), { hang: true }] });
  const turn = rig.turn(
    {},
    (event) =>
      event.type === "text_delta" ? Promise.reject(new Error("the pipe broke")) : Promise.resolve(),
  );
  assert.equal((await turn.end).stop_reason, "error");
  assert.match((await turn.until("error")).error.message, /the turn broke off: the pipe broke/);
  nothingIsLeft(rig);
});

Deno.test("runTurn goes on without a session file that it may not read", async () => {
  await using rig = await fakeRig({ acts: [...plainTurn("one")] });
  // A directory in the place of the file: found, but not to be read.
  const { thread_id: threadId } = await rig.turn().end;
  const day = join(rig.sandbox.codexHome, "sessions/2026/01/01");
  await Deno.mkdir(join(day, `rollout-2026-01-01T00-00-00-${threadId}.jsonl`), { recursive: true });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "end_turn");
  assert.equal(textOf(turn), "one");
});

Deno.test("runTurn tells a failure once, as the error, and a repeated notice once", async () => {
  const message = "unexpected status 402 Payment Required: no money, url: http://x";
  const notice = (text: string) => ({ print: { type: "error", message: text } });
  const warning = { print: { type: "item.completed", item: { type: "error", message: "odd" } } };
  await using rig = await fakeRig({
    acts: [
      began(),
      warning,
      warning,
      notice("something"),
      notice("something"),
      notice(message),
      { print: { type: "turn.failed", error: { message } } },
      { exit: 1 },
    ],
  });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "error");
  const told = turn.events.flatMap((event) => event.type === "status" ? [event.message] : []);
  const mine = told.filter((text) => !/session file|newer than/.test(text));
  assert.deepEqual(mine, ["odd", "something"]);
  const error = turn.events.find((event) => event.type === "error");
  assert.equal(error?.error.kind, "quota_exhausted");
});

Deno.test("runTurn ends a turn that codex runs with a wider sandbox than was asked for", async () => {
  await using rig = await fakeRig({
    acts: [
      {
        rollout: [{
          type: "turn_context",
          payload: { sandbox_policy: { type: "workspace-write" }, approval_policy: "never" },
        }],
      },
      began(),
      { hang: true },
    ],
  });
  rig.settings.sandbox = "read-only";
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "error");
  const failure = turn.events.find((event) => event.type === "error")?.error;
  assert.deepEqual([failure?.kind, failure?.retryable], ["config", false]);
  assert.match(failure?.message ?? "", /the sandbox workspace-write instead of read-only/);
});

Deno.test("runTurn says it where the answer came before the wider sandbox was seen", async () => {
  const record = {
    type: "turn_context",
    payload: { sandbox_policy: { type: "danger-full-access" }, approval_policy: "never" },
  };
  await using rig = await fakeRig({ acts: [...plainTurn("done"), { rollout: [record] }] });
  rig.settings.sandbox = "workspace-write";
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "error");
  const failure = turn.events.find((event) => event.type === "error")?.error;
  assert.equal(failure?.kind, "config");
});

Deno.test("runTurn tells of a narrower sandbox and of another model, and goes on", async () => {
  const payload = {
    sandbox_policy: { type: "read-only" },
    approval_policy: "never",
    model: "gpt-other",
  };
  await using rig = await fakeRig({
    acts: [{ rollout: [{ type: "turn_context", payload }] }, ...plainTurn("done")],
  });
  rig.settings.sandbox = "workspace-write";
  const turn = rig.turn({ model: "gpt-5.5" });
  assert.equal((await turn.end).stop_reason, "end_turn");
  const told = turn.events.flatMap((event) => event.type === "status" ? [event.message] : []);
  assert.ok(told.some((text) => /sandbox read-only instead of workspace-write/.test(text)));
  assert.ok(told.some((text) => /model gpt-other instead of gpt-5\.5/.test(text)));
});

Deno.test("runTurn says that the model said nothing", async () => {
  const acts = plainTurn("x").filter((act) => !JSON.stringify(act).includes('"x"'));
  await using rig = await fakeRig({ acts });
  const turn = rig.turn();
  assert.equal((await turn.end).stop_reason, "end_turn");
  const told = turn.events.flatMap((event) => event.type === "status" ? [event.message] : []);
  assert.ok(told.some((text) => /^the turn ended without an answer/.test(text)), told.join("\n"));
});

Deno.test("runTurn gives codex the home of the password database where HOME is not set", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  delete rig.sandbox.env.HOME;
  await rig.turn().end;
  const [run] = await rig.codex.runs();
  assert.equal(run?.env.HOME, homeOfUser());
  assert.ok(run?.env.HOME?.startsWith("/"));
});

Deno.test("runTurn gives codex the workspace as it was given, and keeps the thread by its real path", async () => {
  await using rig = await fakeRig({ acts: plainTurn("hi") });
  const link = join(rig.sandbox.root, "link");
  Deno.symlinkSync(rig.sandbox.workspace, link);
  const { thread_id: threadId } = await rig.turn({ cwd: link }).end;
  const [run] = await rig.codex.runs();
  assert.equal(run?.args[(run?.args.indexOf("-C") ?? 0) + 1], link);
  assert.equal(rig.store.load("cx", rig.sandbox.workspace)?.threadId, threadId);
  Deno.removeSync(link);
  Deno.symlinkSync(rig.sandbox.home, link);
  await rig.turn({ cwd: link }).end;
  const later = (await rig.codex.runs()).at(-1);
  assert.equal(later?.args[(later?.args.indexOf("-C") ?? 0) + 1], rig.sandbox.workspace);
});

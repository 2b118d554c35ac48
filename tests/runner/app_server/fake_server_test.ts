/** What the real app-server cannot be made to do. Nothing waits for ever, and nothing is left. */
import { strict as assert } from "node:assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { isThere } from "../../../base/files.ts";
import { within } from "../../../base/timer.ts";
import { findCodex } from "../../../runner/codex/codex_binary.ts";
import { ServerUnusable } from "../../../runner/app_server/process.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import { TurnFiles } from "../../../runner/process/turn_directory.ts";
import { Rig, test } from "./rig.ts";

const DELTA = (itemId: string, delta: string) => ({
  notify: "item/agentMessage/delta",
  params: { threadId: "$THREAD", turnId: "$TURN", itemId, delta },
});

/** A transport on a fake server that plays `scenario`. */
async function rigOn(
  scenario: Record<string, unknown>,
  input: Parameters<typeof Rig.open>[2] = {},
): Promise<Rig> {
  const dir = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "plexum-fake-" });
  const program = fromFileUrl(new URL("../../support/fake_app_server.mjs", import.meta.url));
  const path = join(dir, "codex");
  await Deno.writeTextFile(path, `#!/bin/sh\nexec node '${program}' '${dir}' "$@"\n`);
  await Deno.chmod(path, 0o755);
  await Deno.writeTextFile(join(dir, "scenario.json"), JSON.stringify(scenario));
  const rig = await Rig.open(path, {}, input);
  rig.cleanUp = () => Deno.remove(dir, { recursive: true });
  return rig;
}

/** Waits until the fake server was asked for `method`. */
async function asked(rig: Rig, method: string): Promise<void> {
  const requests = join(dirname(rig.base.codex.path), "asked.jsonl");
  const said = () => isThere(requests) ? Deno.readTextFileSync(requests) : "";
  while (!said().includes(`"${method}"`)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a server that refuses its handshake, dies in it or is none is of no use", async () => {
  for (
    const scenario of [
      { refuse: { initialize: "not you" } },
      { exitOn: "initialize" },
      { exitOn: "thread/start" },
      { exitOn: "turn/start" },
    ]
  ) {
    await using rig = await rigOn(scenario);
    const { outcome, events } = await rig.play();
    assert.ok(outcome.refused instanceof ServerUnusable, String(outcome.refused));
    assert.deepEqual(events, [], "nothing was told: it can be run in another way");
  }
});

test("a turn without its host tools has its thread loaded anew when it is tried again", async () => {
  await using rig = await rigOn({}, { threadId: "01a218ae-9a95-7ab0-8648-1825dcd2863c" });
  for (const _ of ["first", "again"]) {
    const { outcome } = await rig.play({ hasHostTools: () => false });
    assert.ok(outcome.refused instanceof TurnError, String(outcome.refused));
  }
  const requests = Deno.readTextFileSync(join(dirname(rig.base.codex.path), "asked.jsonl"));
  assert.equal(requests.split('"thread/resume"').length, 3);
  assert.ok(!requests.includes('"turn/start"'));
});

test("a server that does not hear an interrupt is killed, and the next turn has another one", async () => {
  await using rig = await rigOn({ deaf: true, acts: [{ hang: true }] }, { graceMs: 100 });
  const cancel = new AbortController();
  const { outcome, threadId } = await rig.play(
    {},
    cancel.signal,
    ({ type }) => type === "turn_started" && cancel.abort(),
  );
  assert.equal(outcome.exit?.signal, "SIGKILL");
  assert.deepEqual(rig.transport.snapshot().servers, []);
  const again = new AbortController();
  const next = await rig.play(
    { threadId },
    again.signal,
    ({ type }) => type === "turn_started" && again.abort(),
  );
  assert.equal(next.threadId, threadId);
});

test("a server that answers neither an interrupt nor the end of its stdin is killed", async () => {
  await using rig = await rigOn(
    { silent: ["turn/interrupt"], ignoreEnd: true, acts: [{ hang: true }] },
    { graceMs: 100 },
  );
  const cancel = new AbortController();
  const { outcome } = await rig.play(
    {},
    cancel.signal,
    ({ type }) => type === "turn_started" && cancel.abort(),
  );
  assert.equal(outcome.exit?.signal, "SIGKILL");
});

/** A turn of an agent that the model started. */
const AGENT = (name: string) => ({
  notify: "turn/started",
  params: { threadId: `t-${name}`, turn: { id: `u-${name}` } },
});

/** Whom the server was asked about. */
function about(rig: Rig, method: string, key: "threadId" | "turnId"): string[] {
  const requests = Deno.readTextFileSync(join(dirname(rig.base.codex.path), "asked.jsonl"));
  return requests.trim().split("\n").map((line) => JSON.parse(line))
    .filter((asked) => asked.method === method).map(({ params }) => params[key]);
}

test("agents are interrupted with the turn that started them, also those that begin meanwhile", async () => {
  await using rig = await rigOn({
    acts: [AGENT("a"), AGENT("b"), { hang: true }],
    atInterrupt: { main: [AGENT("c")], "u-c": [AGENT("d")] },
  });
  const cancel = new AbortController();
  const { outcome, threadId = "" } = await rig.play(
    {},
    cancel.signal,
    ({ type }) => type === "alive" && cancel.abort(),
  );
  assert.deepEqual([outcome.exit, outcome.survivors], [undefined, []]);
  const [, ...interrupted] = about(rig, "turn/interrupt", "turnId");
  assert.deepEqual(interrupted.sort(), ["u-a", "u-b", "u-c", "u-d"]);
  const cleaned = about(rig, "thread/backgroundTerminals/clean", "threadId");
  assert.deepEqual(cleaned.sort(), [threadId, "t-a", "t-b", "t-c", "t-d"].sort());
  assert.equal(rig.transport.snapshot().servers.length, 1, "the server is warm");
});

test("agents that go on when their turn has ended are interrupted, and only those", async () => {
  const { params } = AGENT("a");
  const done = { notify: "turn/completed", params: { ...params, turn: { id: "u-a" } } };
  await using rig = await rigOn({ acts: [AGENT("a"), AGENT("b"), done, DELTA("a", "x")] });
  const { outcome } = await rig.good();
  assert.deepEqual([outcome.exit, outcome.survivors], [undefined, []]);
  assert.deepEqual(about(rig, "turn/interrupt", "turnId"), ["u-b"]);
  assert.equal(rig.transport.snapshot().servers.length, 1);
});

test("an agent that has ended when it is to be interrupted is no reason to end the server", async () => {
  await using rig = await rigOn({
    acts: [AGENT("a"), DELTA("a", "x")],
    refuse: { "turn/interrupt": "no active turn to interrupt" },
  });
  await rig.good();
  assert.equal(rig.transport.snapshot().servers.length, 1);
});

test("an agent that does not hear an interrupt is killed with the server, and its turn has ended well", async () => {
  await using rig = await rigOn({ acts: [AGENT("a"), DELTA("a", "x")], deaf: ["u-a"] }, {
    graceMs: 100,
  });
  const { outcome } = await rig.good();
  assert.deepEqual([outcome.exit, outcome.survivors], [undefined, []]);
  assert.deepEqual(rig.transport.snapshot().servers, []);
});

test("a turn that waits for its server is cancelled at once", async () => {
  await using rig = await rigOn({ silent: ["initialize"] });
  const cancel = new AbortController();
  const playing = rig.play({}, cancel.signal);
  while ((await rig.sandbox.processes()).length === 0) await new Promise((r) => setTimeout(r, 20));
  const began = performance.now();
  cancel.abort();
  const { outcome, events } = await playing;
  assert.deepEqual([outcome.refused, events], [undefined, []]);
  assert.ok(performance.now() - began < 5_000, "a handshake may take longer");
});

test("a server that dies in the middle leaves its stderr and its exit code", async () => {
  await using rig = await rigOn({
    acts: [DELTA("a", "half"), { stderr: "thread 'main' panicked\n" }, { exit: 101 }],
  });
  const { outcome, events } = await rig.play();
  assert.equal(outcome.exit?.code, 101);
  assert.match(outcome.stderr, /panicked/);
  assert.ok(events.some(({ type }) => type === "message_delta"), "what it said before is told");
});

test("bad lines, requests, answers to nothing and unknown notifications do not end a turn", async () => {
  await using rig = await rigOn({
    acts: [
      { raw: "not json\n[]\n\n{}\n" },
      { raw: '{"id":999,"result":{}}\n' },
      { ask: "item/tool/call" },
      { notify: "brand/new", params: { x: 1 }, flood: 3 },
      { notify: "item/completed", params: { item: 5 } },
      DELTA("a", "whole"),
    ],
  });
  const { events, outcome } = await rig.play();
  const types = events.map(({ type }) => type);
  assert.equal(types.filter((type) => type === "unknown").length, 3);
  assert.equal(types.filter((type) => type === "broken").length, 1);
  assert.equal(events.at(-1)?.type, "turn_completed");
  assert.deepEqual([outcome.refused, outcome.exit], [undefined, undefined]);
});

test("turns of a server share the directory of their mark, and need none of their own", async () => {
  await using rig = await rigOn({ acts: [DELTA("a", "x")] });
  const marks = () => [...Deno.readDirSync(rig.running)].map(({ name }) => name).sort();
  const seen: string[][] = [];
  for (let turn = 0; turn < 2; turn++) {
    await rig.play({}, undefined, ({ type }) => {
      if (type === "message_delta") seen.push(marks());
    });
    seen.push(marks());
  }
  const [first] = seen;
  assert.equal(first?.length, 2, "the server's own and its turns'");
  assert.deepEqual(seen, Array(4).fill(first));
});

test("nobody listens: codex waits, and goes on when somebody does", async () => {
  await using rig = await rigOn({
    acts: [{ ...DELTA("a", "x".repeat(1000)), flood: 20_000 }],
  });
  await using files = new TurnFiles(rig.running);
  const run = rig.transport.run({ ...rig.base, files }, new AbortController().signal);
  let seen = 0;
  for await (const event of run.events) {
    if (event.type === "message_delta" && seen++ === 0) {
      // 20 MB do not fit into a pipe and a few events.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const [server] = rig.transport.snapshot().servers;
      assert.equal(server?.state, "running");
    }
  }
  assert.equal(seen, 20_000);
  assert.equal((await run.outcome).refused, undefined);
});

test("who stops listening in the middle has the turn stopped", async () => {
  await using rig = await rigOn({ acts: [DELTA("a", "x"), { hang: true }] });
  await using files = new TurnFiles(rig.running);
  const run = rig.transport.run({ ...rig.base, files }, new AbortController().signal);
  for await (const event of run.events) if (event.type === "message_delta") break;
  assert.deepEqual((await run.outcome).survivors, []);
  assert.equal(rig.transport.snapshot().servers[0]?.state, "idle");
});

test("a transport that is closed in the middle of a turn ends it", async () => {
  await using rig = await rigOn({ deaf: true, acts: [{ hang: true }] });
  let closing: Promise<void> | undefined;
  const { outcome } = await rig.play({}, undefined, ({ type }) => {
    if (type === "turn_started") closing = rig.transport.close();
  });
  await closing;
  assert.equal(outcome.exit?.signal, "SIGKILL");
});

test("idle servers are ended: in time, at once where nothing is kept, the longest idle where too many are", async () => {
  await using rig = await rigOn({}, { warm: () => ({ idleMs: 60_000, max: 2, spare: false }) });
  for (const agentId of ["a", "b", "a", "c"]) await rig.play({ agentId });
  await rig.play({ agentId: "c" });
  const kept = rig.transport.snapshot().servers.map(({ agentId }) => agentId);
  assert.deepEqual(kept.sort(), ["a", "c"]);
  await rig.play({ agentId: "c", warm: () => ({ idleMs: 0, max: 2, spare: false }) });
  assert.deepEqual(rig.transport.snapshot().servers.map(({ agentId }) => agentId), ["a"]);
  await rig.play({ agentId: "a", warm: () => ({ idleMs: 1, max: 2, spare: false }) });
  while (rig.transport.snapshot().servers.length > 0) await new Promise((r) => setTimeout(r, 5));
  assert.deepEqual(rig.transport.snapshot(), {
    servers: [],
    spare: undefined,
    hits: 4,
    spares: 0,
    misses: 3,
  });
});

test("a spare is taken by whoever comes next, another one is started, and no more than that", async () => {
  const warm = () => ({ idleMs: 60_000, max: 2, spare: true });
  await using rig = await rigOn({}, { warm });
  await rig.transport.prepare(rig.base);
  for (const agentId of ["a", "b", "c", "d"]) {
    await rig.play({ agentId });
    while (rig.transport.snapshot().spare === undefined) await new Promise((r) => setTimeout(r, 5));
    const processes = (await rig.sandbox.processes())
      .filter(({ command }) => /fake_app_server\.mjs .* app-server /.test(command));
    assert.ok(processes.length <= 3, JSON.stringify(processes));
  }
  const { spares, misses, servers } = rig.transport.snapshot();
  assert.deepEqual([spares, misses], [4, 0]);
  assert.deepEqual(servers.map(({ agentId }) => agentId), ["c", "d"]);
});

test("a spare that is still starting is taken by one of two who come at once", async () => {
  await using rig = await rigOn({});
  const warm = () => ({ ...rig.base.warm(), spare: true });
  await rig.transport.prepare({ ...rig.base, warm });
  await Promise.all(["a", "b"].map((agentId) => rig.play({ agentId })));
  const { servers, spares, misses } = rig.transport.snapshot();
  assert.equal(new Set(servers.map(({ pid }) => pid)).size, 2);
  assert.deepEqual([spares, misses], [1, 1]);
});

test("another environment, argument or login is another server", async () => {
  await using rig = await rigOn({});
  const { threadId } = await rig.play();
  await rig.play({ threadId, extraArgs: ["-c", "model_verbosity=low"] });
  await rig.play({ threadId, extraArgs: [] });
  await rig.play({ threadId, environment: { ...rig.base.environment, NEW: "1" } });
  Deno.writeTextFileSync(join(rig.base.codexHome, "auth.json"), "{}");
  await rig.play({ threadId, environment: { ...rig.base.environment, NEW: "1" } });
  Deno.writeTextFileSync(join(rig.base.codexHome, ".env"), "KEY=1");
  await rig.play({ threadId, environment: { ...rig.base.environment, NEW: "1" } });
  assert.equal(rig.transport.snapshot().misses, 6);
  assert.equal(rig.transport.snapshot().servers.length, 1);
});

test("a codex that was replaced at its path is another server, and another spare", async () => {
  const warm = () => ({ idleMs: 60_000, max: 8, spare: true });
  await using rig = await rigOn({}, { warm });
  const { threadId } = await rig.play();
  while (rig.transport.snapshot().spare === undefined) await new Promise((r) => setTimeout(r, 5));
  const { servers, spare } = rig.transport.snapshot();
  const { path } = rig.base.codex;
  Deno.copyFileSync(path, `${path}.new`);
  Deno.renameSync(`${path}.new`, path);
  const codex = await findCodex(path, rig.sandbox.env);
  await rig.play({ threadId, codex });
  await rig.play({ agentId: "other", codex });
  const old = [servers[0]?.pid, spare];
  const now = rig.transport.snapshot().servers.map(({ pid }) => pid);
  assert.deepEqual([now.length, now.filter((pid) => old.includes(pid))], [2, []]);
});

test("what is kept goes when it is no longer wanted, whoever it was kept for", async () => {
  const wanted = { idleMs: 60_000, max: 8, spare: true };
  await using rig = await rigOn({}, { warm: () => wanted });
  for (const agentId of ["a", "b", "c"]) await rig.play({ agentId });
  const kept = () => {
    const { servers, spare } = rig.transport.snapshot();
    return [servers.length, spare !== undefined];
  };
  const until = async (servers: number, spare: boolean) => {
    while (kept().join() !== [servers, spare].join()) await new Promise((r) => setTimeout(r, 5));
  };
  await until(3, true);
  rig.transport.dismissUnwanted();
  await rig.transport.settled({ ...rig.base, agentId: "a" });
  assert.deepEqual(kept(), [3, true], "all of it is wanted");
  wanted.spare = false;
  rig.transport.dismissUnwanted();
  await until(3, false);
  wanted.max = 1;
  rig.transport.dismissUnwanted();
  await until(1, false);
  assert.equal(rig.transport.snapshot().servers[0]?.agentId, "c", "the longest idle go first");
  wanted.idleMs = 0;
  rig.transport.dismissUnwanted();
  await until(0, false);
});

test("who needs a thread that codex does not come to read again need not wait for that", async () => {
  await using rig = await rigOn({ silent: ["thread/resume"] }, { graceMs: 100 });
  const { threadId } = await rig.play();
  const reloading = rig.transport.release(rig.base, "reload");
  await asked(rig, "thread/resume");
  const began = performance.now();
  const cancelled = await rig.play({ threadId, agentId: "other" }, AbortSignal.timeout(100));
  assert.deepEqual([cancelled.outcome.refused, cancelled.events], [undefined, []]);
  await rig.transport.release(rig.base, "leave");
  await reloading;
  assert.ok(performance.now() - began < 15_000, "a load may take much longer");
  assert.deepEqual(rig.transport.snapshot().servers, []);
});

test("a transport that is closed while codex reads a thread again does not wait for that", async () => {
  await using rig = await rigOn({ silent: ["thread/resume"] });
  await rig.play();
  const reloading = rig.transport.release(rig.base, "reload");
  await asked(rig, "thread/resume");
  const began = performance.now();
  await rig.transport.close();
  await reloading;
  assert.ok(performance.now() - began < 15_000, "a load may take much longer");
});

test("a server that dies while it waits is replaced", async () => {
  await using rig = await rigOn({});
  const { threadId } = await rig.play();
  const [server] = rig.transport.snapshot().servers;
  Deno.kill(server?.pid ?? 0, "SIGKILL");
  while (rig.transport.snapshot().servers.length > 0) await new Promise((r) => setTimeout(r, 5));
  const { events } = await rig.play({ threadId });
  assert.equal(events.at(-1)?.type, "turn_completed");
});

test("what codex warns of while it loads a thread is told right behind the thread, once", async () => {
  const failed = { threadId: "$THREAD", name: "lab", status: "failed", error: "lab is not there" };
  await using rig = await rigOn({
    atLoad: [
      { notify: "warning", params: { message: "another model" } },
      { notify: "mcpServer/startupStatus/updated", params: failed },
      { notify: "deprecationNotice", params: { summary: "old key" } },
    ],
  });
  const { events, threadId } = await rig.good();
  const told = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  assert.deepEqual(told, ["another model", "lab is not there", "old key"]);
  assert.equal(events[0]?.type, "thread_started");
  const next = await rig.good({ threadId });
  assert.deepEqual(next.events.filter(({ type }) => type === "warning"), []);
});

test("a server that answers a load in an unknown way is of no use, nor is another one", async () => {
  await using rig = await rigOn({ answers: { "thread/start": { threads: [] } } });
  const { outcome, events } = await rig.play();
  assert.ok(outcome.refused instanceof ServerUnusable, String(outcome.refused));
  assert.ok(outcome.refused.lasting);
  assert.match(
    outcome.refused.message,
    /^thread\/start was answered in another way than is known$/,
  );
  assert.deepEqual(events, []);
});

test("a start that hangs, whose turn was cancelled, holds up nobody who needs the thread", async () => {
  await using rig = await rigOn({ silent: ["initialize"] });
  const cancel = new AbortController();
  const playing = rig.play({}, cancel.signal);
  await asked(rig, "initialize");
  cancel.abort();
  await playing;
  const released = rig.transport.release(rig.base, "leave");
  assert.ok(await within(15_000, released), "its handshake may take 30 s");
  assert.deepEqual(await rig.sandbox.processes(), []);
});

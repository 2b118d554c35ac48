/** Threads that are lost, busy, or went on without us. */
import { strict as assert } from "node:assert";
import { basename, join } from "@std/path";
import { locateRolloutSync } from "../../rollout/locate.ts";
import { userTexts } from "../support/model/request.ts";
import { codexBinary, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { RpcError } from "../support/rpc_error.ts";
import { startHost } from "../support/host.ts";
import type { Sandbox } from "../support/sandbox.ts";
import { codexByHand, resumeArgs } from "../support/codex_run.ts";
import { compressedSession } from "../../scripts/proof/matrix/threads.ts";
import { asks, EVERY_WAY, openWorld, plays, refusalOf, STAYING, type World } from "./world.ts";

function rolloutOf({ codexHome }: Sandbox, thread: string): string {
  const located = locateRolloutSync(codexHome, thread);
  assert.equal(located.kind, "found");
  return located.kind === "found" ? located.path : "";
}

/** Where the plugin keeps its state. */
const stateOf = ({ profile }: Sandbox) => join(profile, "plugins/plexum-openai-provider/state");

/** The second question, with the conversation before it as a host sends it. */
const conversation = (workspace: string) => ({
  ...asks(workspace, ""),
  request: {
    messages: [
      { role: "user", content: "I am Ada" },
      { role: "assistant", content: [{ type: "text", text: "hello Ada" }] },
      { role: "user", content: "who am I?" },
    ],
  },
});

/** Ways to lose a thread; each is given a world with one turn behind it. */
const LOSSES: Record<string, (world: World, thread: string) => Promise<void>> = {
  deleted: async ({ sandbox }, thread) => await Deno.remove(rolloutOf(sandbox, thread)),
  "in another CODEX_HOME": async ({ sandbox }) => {
    const other = join(sandbox.root, "other");
    await Deno.mkdir(other);
    await Deno.copyFile(join(sandbox.codexHome, "config.toml"), join(other, "config.toml"));
    await sandbox.configure({ env: { CODEX_HOME: other } });
  },
  archived: async ({ sandbox }, thread) => {
    const path = rolloutOf(sandbox, thread);
    const archive = join(sandbox.codexHome, "archived_sessions");
    await Deno.mkdir(archive);
    await Deno.rename(path, join(archive, basename(path)));
  },
};

for (const version of EVERY_WAY) {
  for (const [how, lose] of Object.entries(LOSSES)) {
    // 0.135 goes on with an archived thread as if nothing were.
    const isLost = !(how === "archived" && version === OLDEST_CODEX);

    Deno.test(`thread ${how} is ${isLost ? "begun anew, with the conversation," : "resumed"} on codex ${version}`, async () => {
      await using world = await openWorld(version);
      const { host, sandbox } = world;
      const { thread_id } = await host.stream(asks(sandbox.workspace, "I am Ada")).result;
      await lose(world, thread_id);
      const turn = host.stream(conversation(sandbox.workspace));
      const end = await turn.result;
      assert.equal(end.stop_reason, "end_turn", turn.story());
      const texts = userTexts(sandbox.model.asked.at(-1) ?? assert.fail());
      assert.equal(turn.of("message_start")[0]?.resumed, !isLost);
      assert.equal(end.thread_id === thread_id, !isLost);
      const lost = turn.of("status").filter(({ message }) => message.includes("is lost"));
      assert.equal(lost.length, isLost ? 1 : 0);
      if (isLost) {
        assert.match(texts.at(-1) ?? "", /assistant: hello Ada[^]*who am I\?$/);
        const next = host.stream(asks(sandbox.workspace, "still me?"));
        assert.equal((await next.result).thread_id, end.thread_id, "the new thread goes on");
        assert.doesNotMatch(
          userTexts(sandbox.model.asked.at(-1) ?? assert.fail()).at(-1) ?? "",
          /earlier_conversation/,
        );
      } else assert.ok(texts.includes("I am Ada"));
    });
  }

  Deno.test(`lost thread fails on codex ${version} when the operator says so`, async () => {
    await using world = await openWorld(version, { config: { on_lost_session: "fail" } });
    const { host, sandbox } = world;
    const { thread_id } = await host.stream(asks(sandbox.workspace, "one")).result;
    await Deno.remove(rolloutOf(sandbox, thread_id));
    const turn = host.stream(asks(sandbox.workspace, "two"));
    await assert.rejects(turn.result, (error: unknown) => {
      assert.ok(error instanceof RpcError);
      const { kind, retryable } = error.data as { kind: string; retryable: boolean };
      assert.deepEqual([kind, retryable], ["session_lost", false]);
      return true;
    });
    assert.deepEqual(turn.seen, []);
  });

  Deno.test(`usage is the turn's own on codex ${version}, also after a resume by hand and without state`, async () => {
    const usage = (n: number) => ({
      input_tokens: n,
      cached_tokens: n / 10,
      output_tokens: n / 100,
    });
    await using world = await openWorld(version, {
      config: { warm: { idle_ms: 0 } }, // a person is to have it in between
      steps: [1000, 2000, 4000, 8000].map((n) => ({ text: `${n}`, usage: usage(n) })),
    });
    const { host, sandbox } = world;
    const first = await host.stream(asks(sandbox.workspace, "one")).result;
    assert.equal(first.usage.input_tokens, 1000);
    const byHand = await codexByHand(sandbox, resumeArgs(first.thread_id), "by hand");
    assert.equal(byHand.code, 0, byHand.stderr);
    assert.match(byHand.stdout, /"input_tokens":3000/, "codex counts the thread");
    const third = await host.stream(asks(sandbox.workspace, "three")).result;
    assert.deepEqual(third.usage, {
      input_tokens: 4000,
      cached_input_tokens: 400,
      output_tokens: 40,
      reasoning_output_tokens: 0,
    });
    for (const { name } of Deno.readDirSync(stateOf(sandbox))) {
      if (name.startsWith("thread-")) await Deno.remove(join(stateOf(sandbox), name));
    }
    const fourth = await host.stream(asks(sandbox.workspace, "four")).result;
    assert.equal(fourth.thread_id, first.thread_id, "taken over from the workspace's session file");
    assert.equal(fourth.usage.input_tokens, 8000);
  });

  Deno.test(`thread that another codex has open is ${version === OLDEST_CODEX ? "shared, as this codex does" : "waited for, then reported as busy"} on codex ${version}`, async () => {
    await using world = await openWorld(version, {
      config: { retries: 1, warm: { idle_ms: 0 } },
    });
    const { host, sandbox } = world;
    const { thread_id } = await host.stream(asks(sandbox.workspace, "one")).result;

    const release = Promise.withResolvers<void>();
    sandbox.model.setSteps([{ text: "by hand", hold: release.promise }]);
    const byHand = codexByHand(sandbox, resumeArgs(thread_id), "by hand");
    await sandbox.model.received(2);

    const turn = host.stream(asks(sandbox.workspace, "two"));
    if (version === OLDEST_CODEX) {
      assert.equal((await turn.result).stop_reason, "end_turn");
    } else {
      await assert.rejects(turn.result, (error: unknown) => {
        assert.ok(error instanceof RpcError);
        const { kind, retryable } = error.data as { kind: string; retryable: boolean };
        assert.deepEqual([kind, retryable], ["session_busy", true]);
        return true;
      });
    }
    // The one that has it open ends while we wait.
    const waiting = host.stream(asks(sandbox.workspace, "three"));
    release.resolve();
    assert.equal((await byHand).code, 0);
    if (version === OLDEST_CODEX) assert.equal((await waiting.result).stop_reason, "end_turn");
    else await waiting.result.catch(() => {}); // it may have come too late
    const last = host.stream(asks(sandbox.workspace, "four"));
    assert.equal((await last.result).thread_id, thread_id);
  });
}

Deno.test("thread of a newer codex is refused to one that would destroy it, unless configured", async () => {
  await using world = await openWorld(NEWEST_CODEX);
  const { host, sandbox } = world;
  const { thread_id } = await host.stream(asks(sandbox.workspace, "I am Ada")).result;
  const path = rolloutOf(sandbox, thread_id);
  const before = await Deno.readFile(path);
  const { native } = await codexBinary(OLDEST_CODEX);
  await sandbox.configure({ binary: native });
  const refused = host.stream(asks(sandbox.workspace, "who am I?"));
  await assert.rejects(refused.result, (error: unknown) => {
    assert.ok(error instanceof RpcError);
    const { kind, retryable, message } = error.data as Record<string, unknown>;
    assert.deepEqual([kind, retryable], ["codex_too_old", false]);
    assert.match(String(message), /^codex 0\.135\.0 would destroy thread /);
    return true;
  });
  assert.deepEqual(await Deno.readFile(path), before);

  await sandbox.configure({ binary: native, older_codex: "resume" });
  const resumed = await host.stream(asks(sandbox.workspace, "who am I?")).result;
  assert.equal(resumed.thread_id, thread_id);

  // The other way round, and back, is harmless.
  const other = await sandbox.newWorkspace("other");
  const old = await host.stream(asks(other, "I am Bob")).result;
  await sandbox.configure({});
  assert.equal((await host.stream(asks(other, "who am I?")).result).thread_id, old.thread_id);
  await sandbox.configure({ binary: native });
  assert.equal((await host.stream(asks(other, "and now?")).result).thread_id, old.thread_id);
});

for (const way of STAYING) {
  Deno.test(`thread that was compressed is resumed, and then consumed from, on codex ${way}`, () =>
    plays(compressedSession, way));
}

for (const version of EVERY_WAY) {
  Deno.test(`agents of one workspace have a thread each, also their first turns, on codex ${version}`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const threads: Record<string, Set<string>> = {};
    for (const agent_id of ["alice", "bob", "alice", "bob"]) {
      const turn = host.stream({
        ...asks(sandbox.workspace, `secret of ${agent_id}`),
        agent: { agent_id, workspace: sandbox.workspace },
      });
      (threads[agent_id] ??= new Set()).add((await turn.result).thread_id);
      const sent = JSON.stringify(sandbox.model.asked.at(-1)?.input);
      assert.equal(sent.includes("secret of alice"), agent_id === "alice");
    }
    assert.deepEqual(Object.values(threads).map(({ size }) => size), [1, 1]);
  });
}

for (const version of [NEWEST_CODEX, ...STAYING]) {
  Deno.test(`thread of codex ${version} is not given up while codex's home is away`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const turn = (text: string) => host.stream(asks(sandbox.workspace, text));
    const { thread_id } = await turn("one").result;
    await Deno.rename(sandbox.codexHome, `${sandbox.codexHome}-away`);
    const error = await refusalOf(turn("two"));
    assert.deepEqual([error.kind, error.retryable], ["config", false], error.message);
    assert.match(error.message, /its home .+ is not there/);
    assert.equal(sandbox.model.asked.length, 1);
    await Deno.rename(`${sandbox.codexHome}-away`, sandbox.codexHome);
    assert.equal((await turn("three").result).thread_id, thread_id);
  });

  Deno.test(`thread of codex ${version} is not given up while a disk is not mounted on codex's home`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const turn = (text: string) => host.stream(asks(sandbox.workspace, text));
    const { thread_id } = await turn("one").result;
    await Deno.rename(sandbox.codexHome, `${sandbox.codexHome}-away`);
    await Deno.mkdir(sandbox.codexHome);
    const error = await refusalOf(turn("two"));
    assert.deepEqual([error.kind, error.retryable], ["config", false], error.message);
    assert.match(error.message, /its home .+ has no sessions/);
    // Nor may a new agent make a home of it.
    const other = {
      ...asks(sandbox.workspace, "hi"),
      agent: { agent_id: "new", workspace: sandbox.workspace },
    };
    assert.equal((await refusalOf(host.stream(other))).kind, "config");
    assert.deepEqual([...Deno.readDirSync(sandbox.codexHome)], [], "nothing was made there");
    await Deno.remove(sandbox.codexHome);
    await Deno.rename(`${sandbox.codexHome}-away`, sandbox.codexHome);
    assert.equal((await turn("three").result).thread_id, thread_id);
  });
}

for (const version of STAYING) {
  Deno.test(`workspace that went away while its turn waited is told, on codex ${version}`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const [asked, removed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = world.start("one", {
      steps: [async () => {
        asked.resolve();
        await removed.promise;
        return { text: "gone" };
      }],
    });
    await asked.promise;
    const second = host.stream(asks(sandbox.workspace, "two"));
    // Answered after the turn was taken in.
    await host.request("ping");
    await Deno.remove(sandbox.workspace, { recursive: true });
    removed.resolve();
    const error = await refusalOf(second);
    assert.equal(error.kind, "invalid_request");
    assert.match(error.message, /the workspace .+ is gone/);
    await first.result;
  });

  Deno.test(`two plugins of one profile take turns with a thread, on codex ${version}`, async () => {
    await using world = await openWorld(version);
    await using other = await startHost({ env: world.sandbox.env });
    await other.initialize();
    const threads = new Set<string>();
    for (const host of [world.host, other, world.host, other]) {
      const turn = host.stream(asks(world.sandbox.workspace, "go on"));
      threads.add((await turn.result).thread_id);
    }
    assert.equal(threads.size, 1);
    const left = [...Deno.readDirSync(world.sandbox.state)].map(({ name }) => name);
    assert.deepEqual(left.filter((name) => name.endsWith(".release")), []);
  });
}

/** When a consume is done: at once where nobody writes the thread, else as soon as nobody does. */
import { strict as assert } from "node:assert";
import { Log } from "../../plugin/log.ts";
import { Mutations } from "../../plugin/mutations.ts";
import type { MutateResult } from "../../plugin/protocol.ts";
import { RpcError } from "../../base/jsonrpc/frame.ts";
import { mutate } from "../../rollout/consume/consume.ts";
import { TurnQueue } from "../../plugin/turn_queue.ts";
import { within } from "../support/deadline.ts";
import { crashInLastWrite, type FaultyDisk } from "../rollout/faulty_disk.ts";
import { line, THREAD, ThreadOnDisk } from "../rollout/thread_on_disk.ts";

const NEVER = new AbortController().signal;
const OTHER_THREAD = "01a20339-004c-7780-ad3c-b93c735b49ff";
const workspace = "/workspace";

/** The mutations of a plugin whose agent `cx` has a thread with two long outputs. */
class Rig implements AsyncDisposable {
  readonly thread: ThreadOnDisk;
  readonly queue = new TurnQueue(() => 0);
  readonly mutations: Mutations;
  readonly #done = Promise.withResolvers<void>();

  private constructor(thread: ThreadOnDisk) {
    this.thread = thread;
    const { store, codexHome } = thread.session();
    this.mutations = new Mutations({
      threads: { release: () => Promise.resolve() },
      codexHome: () => codexHome,
      store,
      queue: this.queue,
      stats: { consumed: () => {} },
      log: new Log("debug", ({ data }) => {
        if (JSON.stringify(data).includes('"touched":1')) this.#done.resolve();
      }),
    });
  }

  static async create(): Promise<Rig> {
    const outputs = ["a", "b"].map((id) => line.output(id, "a long output, ".repeat(9)));
    return new Rig(await ThreadOnDisk.create([line.meta(), ...outputs]));
  }

  /** Remembers a thread for another agent of the workspace. */
  async remember(agentId: string, threadId: string): Promise<void> {
    const usageTotal = {
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningOutputTokens: 0,
    };
    const { store } = this.thread.session();
    await store.save(agentId, workspace, { threadId, endOffset: 0, usageTotal });
  }

  /** Consumes the other output and is killed while it does: a journal is left. */
  async crash(): Promise<void> {
    const change = (disk: FaultyDisk) =>
      mutate(this.thread.session(disk), [{ blockId: "b", op: "consume-light" }], { busy: false });
    const written = this.thread.bytes;
    await crashInLastWrite(change, () => this.thread.bytes = written);
    assert.deepEqual(this.thread.files, ["journal"]);
  }

  consume(): Promise<MutateResult> {
    const mutations = [{ block_id: "a", op: "consume-light" }];
    return this.mutations.mutate({ agent_id: "cx", workspace, mutations });
  }

  get consumed(): boolean {
    return this.thread.held[0] === "...(consumed)";
  }

  /** Resolves when a consume is logged as done. */
  done(): Promise<void> {
    return within(this.#done.promise, "the consume");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mutations.close();
    this.thread[Symbol.dispose]();
  }
}

Deno.test("a consume is done at once while another agent's turn runs in the workspace", async () => {
  await using rig = await Rig.create();
  await rig.remember("other", OTHER_THREAD);
  const leave = await rig.queue.enter({ agentId: "other", workspace }, NEVER);
  assert.equal((await rig.consume()).touched, 1);
  assert.ok(rig.consumed);
  leave?.();
});

for (const [whose, agentId] of [["its own", "cx"], ["a turn that may share its thread", "new"]]) {
  Deno.test(`a consume waits for ${whose}, and is done when that is over`, async () => {
    await using rig = await Rig.create();
    if (agentId === undefined) return;
    const leave = await rig.queue.enter({ agentId, workspace }, NEVER);
    assert.equal((await rig.consume()).deferred, 1);
    assert.equal(rig.consumed, false);
    leave?.();
    await rig.done();
    assert.ok(rig.consumed);
    assert.deepEqual(rig.thread.files, []);
  });
}

Deno.test("a consume waits for a turn of an agent that has the same thread", async () => {
  await using rig = await Rig.create();
  await rig.remember("other", THREAD);
  const leave = await rig.queue.enter({ agentId: "other", workspace }, NEVER);
  assert.equal((await rig.consume()).deferred, 1);
  leave?.();
  await rig.done();
});

Deno.test("a consume behind an interrupted one waits for the next turn while its home is not mounted", async () => {
  await using rig = await Rig.create();
  await rig.crash();
  const waits = Promise.withResolvers<void>();
  const change = rig.queue.change.bind(rig.queue);
  rig.queue.change = (signal) => {
    waits.resolve();
    return change(signal);
  };
  const [sessions, elsewhere] = [`${rig.thread.home.dir}/sessions`, `${rig.thread.home.dir}/away`];
  Deno.renameSync(sessions, elsewhere);
  assert.equal((await rig.consume()).deferred, 1);
  await within(waits.promise, "a consume that no longer tries", undefined, 10_000);
  Deno.renameSync(elsewhere, sessions);
  const leave = await rig.queue.enter({ agentId: "cx", workspace }, NEVER);
  leave?.();
  await rig.done();
  assert.deepEqual(rig.thread.held, ["...(consumed)", "...(consumed)"]);
  assert.deepEqual(rig.thread.files, []);
});

Deno.test("a consume that waits is left to the next start when the plugin stops", async () => {
  const rig = await Rig.create();
  const leave = await rig.queue.enter({ agentId: "cx", workspace }, NEVER);
  await rig.consume();
  await within(rig.mutations.close(), "the end");
  assert.deepEqual(rig.thread.files, ["pending"]);
  leave?.();
  await rig[Symbol.asyncDispose]();
});

Deno.test("a consume in a session that must not be touched fails for good, and says why", async () => {
  await using rig = await Rig.create();
  Deno.linkSync(rig.thread.path, `${rig.thread.path}.copy`);
  await assert.rejects(rig.consume(), (error) => {
    assert.ok(error instanceof RpcError);
    assert.match(error.message, /the file has 2 names \(hard links\)/);
    assert.deepEqual((error.data as { retryable: boolean }).retryable, false);
    return true;
  });
});

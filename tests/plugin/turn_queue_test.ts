/** One turn at a time per workspace, first come first served, within the limit over all. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { type Leave, TurnQueue } from "../../plugin/turn_queue.ts";

const NEVER = new AbortController().signal;

/** A queue with a diary of who got in. */
class Door {
  limit = 0;
  readonly entered: string[] = [];
  readonly #leaves = new Map<string, Leave>();
  readonly queue = new TurnQueue(() => this.limit);

  async ask(name: string, workspace: string, signal: AbortSignal = NEVER): Promise<void> {
    const leave = await this.queue.enter({ agentId: "cx", workspace }, signal);
    this.entered.push(leave === undefined ? `not ${name}` : name);
    if (leave !== undefined) this.#leaves.set(name, leave);
  }

  async leave(name: string): Promise<void> {
    this.#leaves.get(name)?.();
    await settle();
  }
}

/** Lets every promise that can settle now settle. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

Deno.test("queue lets one turn per workspace run, in the order they came", async () => {
  const door = new Door();
  for (const name of ["a1", "a2", "a3"]) void door.ask(name, "a");
  void door.ask("b1", "b");
  await settle();
  assert.deepEqual(door.entered, ["a1", "b1"]);
  await door.leave("b1");
  assert.deepEqual(door.entered, ["a1", "b1"]);
  await door.leave("a1");
  await door.leave("a2");
  assert.deepEqual(door.entered, ["a1", "b1", "a2", "a3"]);
});

Deno.test("queue gives places over all workspaces to whoever waits longest and can run", async () => {
  const door = new Door();
  door.limit = 2;
  for (const [name, workspace] of Object.entries({ a1: "a", a2: "a", b1: "b", c1: "c", b2: "b" })) {
    void door.ask(name, workspace);
  }
  await settle();
  assert.deepEqual(door.entered, ["a1", "b1"], "a2 waits for a1, c1 for a place");
  await door.leave("b1");
  assert.deepEqual(door.entered.slice(2), ["c1"]);
  await door.leave("a1");
  assert.deepEqual(door.entered.slice(3), ["a2"], "it came before b2");
  await door.leave("c1");
  assert.deepEqual(door.entered.slice(4), ["b2"]);
});

Deno.test("queue asks for its limit whenever a place is given", async () => {
  const door = new Door();
  door.limit = 1;
  for (const name of ["a", "b", "c", "d"]) void door.ask(name, name);
  await settle();
  assert.deepEqual(door.entered, ["a"]);
  door.limit = 3;
  await door.leave("a");
  assert.deepEqual(door.entered, ["a", "b", "c", "d"]);
});

Deno.test("turn that is cancelled while it waits holds nothing and holds up nobody", async () => {
  const door = new Door();
  const control = new AbortController();
  void door.ask("a1", "a");
  void door.ask("a2", "a", control.signal);
  void door.ask("a3", "a");
  void door.ask("a4", "a", AbortSignal.abort());
  await settle();
  assert.deepEqual(door.entered, ["a1", "not a4"]);
  control.abort();
  await settle();
  assert.deepEqual(door.entered, ["a1", "not a4", "not a2"]);
  await door.leave("a1");
  assert.deepEqual(door.entered.slice(3), ["a3"]);
});

Deno.test("turn that is cancelled while it runs keeps its place until it leaves", async () => {
  const door = new Door();
  const control = new AbortController();
  void door.ask("a1", "a", control.signal);
  void door.ask("a2", "a");
  await settle();
  control.abort();
  await settle();
  assert.deepEqual(door.entered, ["a1"]);
  await door.leave("a1");
  assert.deepEqual(door.entered, ["a1", "a2"]);
});

Deno.test("hold keeps a workspace's turns waiting, and is refused while one runs", async () => {
  const door = new Door();
  const release = door.queue.hold({ agentId: "cx", workspace: "a" });
  assert.ok(release);
  assert.equal(door.queue.hold({ agentId: "cx", workspace: "a" }), undefined);
  void door.ask("a1", "a");
  void door.ask("b1", "b");
  await settle();
  assert.deepEqual(door.entered, ["b1"]);
  release();
  await settle();
  assert.deepEqual(door.entered, ["b1", "a1"]);
  assert.equal(door.queue.hold({ agentId: "cx", workspace: "a" }), undefined);
});

Deno.test("queue starves nobody, whatever the order of coming and leaving", async () => {
  const turns = fc.array(fc.record({ workspace: fc.nat(3), cancel: fc.boolean() }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(turns, fc.nat(3), async (turns, limit) => {
      const queue = new TurnQueue(() => limit);
      const running = new Map<string, number>();
      const controls = turns.map(() => new AbortController());
      const all = turns.map(async ({ workspace }, i) => {
        const key = String(workspace);
        const leave = await queue.enter(
          { agentId: "cx", workspace: key },
          controls[i]?.signal ?? NEVER,
        );
        if (leave === undefined) return;
        running.set(key, (running.get(key) ?? 0) + 1);
        assert.equal(running.get(key), 1, "alone in its workspace");
        const total = [...running.values()].reduce((a, b) => a + b, 0);
        assert.ok(limit === 0 || total <= limit, `${total} of ${limit}`);
        await settle();
        running.set(key, 0);
        leave();
      });
      turns.forEach(({ cancel }, i) => cancel && controls[i]?.abort());
      await Promise.all(all);
    }),
  );
});

Deno.test("queue lets nobody overtake a turn of the same workspace whose agent is held", async () => {
  const door = new Door();
  const free = door.queue.hold({ agentId: "cx", workspace: "a" });
  void door.ask("a1", "a");
  void door.queue.enter({ agentId: "other", workspace: "a" }, NEVER)
    .then(() => door.entered.push("other"));
  void door.ask("b1", "b");
  await settle();
  assert.deepEqual(door.entered, ["b1"]);
  free?.();
  await settle();
  assert.deepEqual(door.entered, ["b1", "a1"]);
  await door.leave("a1");
  assert.deepEqual(door.entered, ["b1", "a1", "other"]);
});

Deno.test("queue lets a turn begin when the one before it, whose agent is held, is cancelled", async () => {
  const door = new Door();
  const control = new AbortController();
  door.queue.hold({ agentId: "cx", workspace: "a" });
  void door.ask("a1", "a", control.signal);
  void door.queue.enter({ agentId: "other", workspace: "a" }, NEVER)
    .then(() => door.entered.push("other"));
  await settle();
  assert.deepEqual(door.entered, []);
  control.abort();
  await settle();
  assert.deepEqual(door.entered, ["not a1", "other"]);
});

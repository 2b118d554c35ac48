/**
 * A flood: many workspaces at once, each with a fake codex that prints as fast as it is let, and a
 * host that at first does not read at all, then slowly, then as fast as it can.
 *
 *     deno run -A scripts/proof/bench/flood.ts [WORKSPACES] [EVENTS]
 *
 * What must hold: every event arrives, in order, each turn's numbered without gaps; while the host
 * does not read, every codex stands still in its own write, and the plugin's memory stays where it is.
 */
import { strict as assert } from "node:assert";
import { pause } from "../../../base/timer.ts";
import { began, completed } from "../../../tests/support/fake_codex.ts";
import { openSandbox } from "../../../tests/support/sandbox.ts";
import { BarePlugin, type Frame } from "../../../tests/support/bare_plugin.ts";
import { figure, report } from "./figures/figure.ts";

/** How large the flood is. */
export interface FloodOptions {
  workspaces: number;
  /** Small events per turn. */
  events: number;
  /** Lines of 300 KB among them, per turn. */
  longLines: number;
}

/** What the flood came to; sizes in MiB. */
export interface Flood {
  events: number;
  /** Of the plugin before the first turn, while nobody read, and its highest ever. */
  idle: number;
  blocked: number;
  peak: number;
  /** Turns whose codex was still writing when the host began to read. */
  heldBack: number;
  seconds: number;
}

const LONG_LINE = 300_000;

/** Lets the flood come. Throws when an event is missing, twice, or out of order. */
export async function flood({ workspaces, events, longLines }: FloodOptions): Promise<Flood> {
  const item = { id: "item_$N", type: "agent_message", text: "$N $PAD" };
  const print = { type: "item.completed", item };
  const half = Math.floor(events / 2);
  const acts = [
    began(),
    { rollout: [] }, // as a real one does: there is a session file to follow
    { waitFor: "flood" },
    { flood: { count: half, padBytes: 20, print } },
    { flood: { count: longLines, padBytes: LONG_LINE, print } },
    { flood: { count: events - half, padBytes: 20, print } },
    completed(),
  ];
  await using sandbox = await openSandbox({ binary: { acts } });
  const { fake } = sandbox;
  await using plugin = await BarePlugin.start(sandbox.env);
  const idle = plugin.memory();

  const turns = new Map<unknown, FloodedTurn>();
  for (let id = 1; id <= workspaces; id++) {
    turns.set(id, new FloodedTurn(`turn ${id}`, [half, longLines, events - half]));
    await plugin.ask(id, await sandbox.newWorkspace(`w${id}`), "flood");
  }
  while ((await fake.runs()).length < workspaces) await pause(5);
  const started = performance.now();
  await fake.pull("flood");
  await plugin.standstill();
  const blocked = plugin.memory();
  const pids = (await fake.runs()).map(({ pid }) => pid);
  const heldBack = pids.filter(isAlive).length;

  let seen = 0;
  for await (const frame of plugin.frames()) {
    const { request_id, seq, event } = frame.params ?? {};
    if (event !== undefined) turns.get(request_id)?.receive(seq, event);
    else if (frame.id !== undefined) turns.get(frame.id)?.answer(frame);
    // A slow reader, for a while.
    if (++seen < 2000 && seen % 20 === 0) await pause(5);
    if ([...turns.values()].every((turn) => turn.answered)) break;
  }
  const seconds = (performance.now() - started) / 1000;
  const peak = plugin.memory("VmHWM");
  return { events: seen, idle, blocked, peak, heldBack, seconds };
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

type Event = NonNullable<NonNullable<Frame["params"]>["event"]>;

/** Checks one turn's events as they come. */
class FloodedTurn {
  answered = false;
  readonly #name: string;
  /** The numbers that the texts must begin with, in order. */
  readonly #expected: Generator<number>;
  #seq = 0;
  #texts = 0;

  /** @param batches Each batch of so many texts is numbered from 0. */
  constructor(name: string, batches: readonly number[]) {
    this.#name = name;
    this.#expected = (function* () {
      for (const count of batches) for (let n = 0; n < count; n++) yield n;
    })();
  }

  receive(seq: unknown, event: Event): void {
    assert.equal(seq, this.#seq++, `${this.#name}: a gap in the numbers`);
    assert.equal(event.type === "message_start", seq === 0, `${this.#name}: begins with its start`);
    if (event.type !== "text_delta") return;
    assert.equal(event.index, this.#texts++, `${this.#name}: a gap in the texts`);
    const number = Number(/^\s*(\d+) /.exec(event.text ?? "")?.[1]);
    assert.equal(number, this.#expected.next().value, `${this.#name}: texts out of order`);
  }

  answer({ result, error }: Frame): void {
    assert.equal(result?.stop_reason, "end_turn", `${this.#name}: ${JSON.stringify(error)}`);
    assert.ok(this.#expected.next().done, `${this.#name}: texts are missing`);
    this.answered = true;
  }
}

async function bench(): Promise<void> {
  const workspaces = Number(Deno.args[0] ?? 64);
  const found = await flood({ workspaces, events: Number(Deno.args[1] ?? 10_000), longLines: 10 });
  const rate = Math.round(found.events / found.seconds);
  console.log(
    `${workspaces} turns, ${found.events} frames in order in ${found.seconds.toFixed(1)} s ` +
      `(${rate} a second); ${found.heldBack} codex waited for the host`,
  );
  const say = (name: string, mebibytes: number) =>
    figure({
      ...{ question: `flood of ${workspaces} turns`, name, unit: "MiB" },
      ...{ values: [mebibytes - found.idle], note: `${found.idle.toFixed(0)} MiB idle` },
    });
  report([
    say("memory while the host does not read", found.blocked),
    say("most memory ever", found.peak),
  ]);
}

if (import.meta.main) {
  if (Deno.build.os === "linux") await bench();
  else console.log("needs /proc; nothing was measured");
}

/** One plugin process in a world of its own, whose turns are cancelled one after the other. */
import { join } from "@std/path";
import { pause } from "../../../base/timer.ts";
import { plainTurn } from "../../../tests/support/fake_codex.ts";
import { namesIn } from "../../../tests/support/files.ts";
import { Lab, strangers } from "../../../tests/support/lab.ts";
import { PIXEL } from "../../../tests/support/pixel.ts";
import { allProcesses, kill, type Process } from "../../../tests/support/processes.ts";
import type { Turn } from "../../../tests/support/turn.ts";
import type { HostileKind } from "./kinds.ts";

/** Children's sleeps are so long; the last digits are the turn's. */
const SLEEP = 7_000_000;
let turns = 0;

/** What became of one cancelled turn. */
export interface Outcome {
  /** The kind's name. */
  kind: string;
  /** From the cancel to `message_end`, in ms; undefined when the turn ended before. */
  ms: number | undefined;
  /** Processes of the turn that lived after `message_end`, in words. */
  orphans: string[];
  /** Temporary files and directories that were left. */
  files: number;
  /** Whether the next turn resumed the thread and ended well. */
  goesOn: boolean;
}

/** One workspace in which turn after turn is cancelled. */
export class Lane implements AsyncDisposable {
  readonly #kind: HostileKind;
  readonly #lab: Lab;

  private constructor(kind: HostileKind, lab: Lab) {
    [this.#kind, this.#lab] = [kind, lab];
  }

  static async open(kind: HostileKind): Promise<Lane> {
    const lab = await Lab.open(kind.version ?? { acts: [] }, {
      transport: kind.stays ? "app-server" : "exec",
      config: {
        sandbox: "danger-full-access",
        timeouts: { grace_ms: kind.graceMs },
        ...(kind.stays ? { warm: { spare: false } } : {}),
      },
    });
    return new Lane(kind, lab);
  }

  /** Starts a turn, cancels it at some moment, looks at what is left. */
  async cancelOne(dice: () => number): Promise<Outcome> {
    const id = SLEEP + ++turns;
    const { sandbox } = this.#lab;
    const scenario = this.#kind.scenario?.(id, dice);
    if (scenario !== undefined) await sandbox.fake.play(scenario);

    const blocks = scenario === undefined ? [] : [{ type: "image", data_base64: PIXEL.png }];
    const turn = this.#lab.start("go", { blocks, steps: this.#kind.steps?.(id) ?? [] });
    await this.#moment(turn, id, dice);
    const children = this.#childPids(id);
    const ended = turn.seen.at(-1)?.type === "message_end";
    const cancelled = performance.now();
    await turn.cancel();
    const { thread_id } = await turn.end();
    const ms = ended ? undefined : performance.now() - cancelled;
    const orphans = await this.#orphans(id, children);
    for (const { pid } of orphans) kill(pid);

    if (scenario !== undefined) await sandbox.fake.play({ acts: plainTurn("ok") });
    const next = await this.#lab.start("and now?", { steps: [] }).result;
    const sameThread = thread_id === "" || next.thread_id === thread_id;
    return {
      kind: this.#kind.name,
      ms,
      orphans: orphans.map(({ pid, command }) => `${pid} ${command}`),
      files: this.#filesLeft(),
      goesOn: next.stop_reason === "end_turn" && sameThread,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lab[Symbol.asyncDispose]();
  }

  /** Somewhere between the request and well into the turn. */
  async #moment(turn: Turn, id: number, dice: () => number): Promise<void> {
    const when = dice();
    if (when < 0.1) return;
    if (when > 0.5) await turn.until("message_start");
    if (when > 0.7 && this.#kind.scenario) await this.#lab.sandbox.fake.reached(`busy-${id}`);
    await pause(dice() * 900);
  }

  /** Of the fake codex's children that live by now. */
  #childPids(id: number): number[] {
    const marks = join(this.#lab.sandbox.root, "fake/marks");
    return namesIn(marks).filter((name) => name.startsWith(`${id}-`))
      .map((name) => Number(Deno.readTextFileSync(join(marks, name))));
  }

  /** Everything that has to do with the turn: by our folder, by its sleep, by its pid. */
  async #orphans(id: number, pids: number[]): Promise<Process[]> {
    const others = (await allProcesses()).filter(({ pid, command }) =>
      command.includes(`sleep ${id}`) || (pids.includes(pid) && command.startsWith("sleep 1000000"))
    );
    return [...await strangers(this.#lab.sandbox, this.#lab.host), ...others];
  }

  #filesLeft(): number {
    const { state, runtime } = this.#lab.sandbox;
    const left = namesIn(join(state, "running")).length + namesIn(runtime).length;
    // Its own mark, and the one that the next turn will have.
    return this.#kind.stays ? Math.max(0, left - 2) : left;
  }
}

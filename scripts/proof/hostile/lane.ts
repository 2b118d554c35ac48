/** The kinds of turns that are cancelled, and one plugin in a world of its own in which they are. */
import { join } from "@std/path";
import { pause } from "../../../base/timer.ts";
import {
  type Act,
  began,
  type FakeChild,
  plainTurn,
  said,
  type Scenario,
} from "../../../tests/support/fake_codex.ts";
import { namesIn } from "../../../tests/support/files.ts";
import { Lab, strangers } from "../../../tests/support/lab.ts";
import { command } from "../../../tests/support/model/items.ts";
import { PIXEL } from "../../../tests/support/pixel.ts";
import { allProcesses, kill, type Process } from "../../../tests/support/processes.ts";
import type { Turn } from "../../../tests/support/turn.ts";
import { family, waysOf } from "../matrix/agents.ts";
import type { ScriptedStep, Step } from "../../../tests/support/model/step.ts";
import {
  MIDDLE_CODEX,
  NEWEST_CODEX,
  OLDEST_CODEX,
  STAYING_CODEX,
} from "../../../tests/support/codex.ts";

/** Either a real codex with a model that plays `steps`, or a fake one. */
export interface HostileKind {
  name: string;
  /** Of a real codex. */
  version?: string;
  /** It stays between turns: one process may be left, with the mark it has then. */
  stays?: boolean;
  /** The model that the host asks for; the configured one when left out. */
  model?: string;
  /** What the model does in the turn that is cancelled; `id` is a number that occurs nowhere else. */
  steps?(id: number): ScriptedStep[];
  scenario?(id: number, dice: () => number): Scenario;
  /** The grace that such a codex is given. */
  graceMs: number;
}

const ESCAPES = ["group", "session", "orphan"] as const;

function children(id: number, dice: () => number): Act[] {
  return Array.from({ length: 1 + Math.floor(dice() * 4) }, (_, n): Act => {
    const escape = ESCAPES[Math.floor(dice() * ESCAPES.length)] ?? "group";
    const child: FakeChild = { name: `${id}-${n}`, escape };
    if (dice() < 0.5) child.ignore = ["SIGINT", "SIGTERM", "SIGHUP"];
    if (dice() < 0.5) child.clean = Deno.build.os === "linux" || escape !== "orphan";
    if (dice() < 0.3) child.holdStdout = true;
    return { child };
  });
}

function fake(deaf: boolean): HostileKind {
  const busy = (id: number): Act[] => [{ mark: `busy-${id}` }, { hang: true }];
  return {
    name: deaf ? "fake codex, deaf to SIGINT" : "fake codex, cooperative",
    graceMs: deaf ? 300 : 3_000,
    scenario: (id, dice) => ({
      ...(deaf ? { onInterrupt: "ignore", ignoreTerm: true } : {}),
      acts: [
        ...[began(), { print: { type: "turn.started" } }, said("working")],
        ...[...children(id, dice), ...busy(id)],
      ],
    }),
  };
}

const shell = (cmd: string): Step => ({
  items: [
    { type: "message", text: "working", phase: "commentary" },
    command(cmd, undefined, { yield_time_ms: 60_000 }),
  ],
});

function real(version: string, stays: boolean): HostileKind[] {
  const { old, model } = waysOf(version);
  const kind = (what: string, steps: (id: number) => ScriptedStep[]): HostileKind => ({
    name: `codex ${version}${stays ? " that stays" : ""}, ${what}`,
    ...{ version, stays, steps, graceMs: 3_000 },
  });
  return [
    kind("thinking", () => [{ hang: true }]),
    kind("talking", () => [{ text: "word ".repeat(2000), chunkDelayMs: 10 }]),
    kind("command", (id) => [shell(`sleep ${id}`)]),
    kind("daemons", (id) => [
      shell(
        `trap '' INT TERM HUP; setsid sleep ${id} & (setsid env -i /bin/sh -c 'cd /; sleep ${id}' &) ; ` +
          `nohup sleep ${id} >/dev/null 2>&1 & sleep ${id}`,
      ),
    ]),
    {
      ...kind(
        "agents",
        (id) => [{ answer: family(old, false, shell(`sleep ${id}`), `_${id}`), repeat: true }],
      ),
      model,
    },
  ];
}

/** Those of a codex that stays between turns; else of a codex per turn, as many fake ones as real ones. */
export function hostileKinds(stays: boolean): HostileKind[] {
  if (stays) return STAYING_CODEX.flatMap((version) => real(version, true));
  const found = [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX].flatMap((one) => real(one, false));
  return [...found, ...found.map((_, n) => fake(n % 2 === 0))];
}

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
    const { model } = this.#kind;
    const turn = this.#lab.start("go", {
      blocks,
      steps: this.#kind.steps?.(id) ?? [],
      ...(model === undefined ? {} : { model }),
    });
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

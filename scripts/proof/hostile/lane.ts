/** One plugin process in a world of its own, whose turns are cancelled one after the other. */
import { join } from "@std/path";
import { type FakeCodex, fakeCodex, plainTurn } from "../../../tests/support/fake_codex.ts";
import { type Host, startHost } from "../../../tests/support/host.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import type { Turn } from "../../../tests/support/turn.ts";
import { PIXEL } from "../../../tests/support/pixel.ts";
import type { HostileKind } from "./kinds.ts";

/** Children's sleeps are so long; the last digits are the turn's. */
const SLEEP = 7_000_000;
let turns = 0;

/** One workspace in which turn after turn is cancelled. */
export class Lane implements AsyncDisposable {
  readonly #kind: HostileKind;
  readonly #sandbox: Sandbox;
  readonly #codex: FakeCodex;
  readonly #host: Host;

  private constructor(kind: HostileKind, sandbox: Sandbox, codex: FakeCodex, host: Host) {
    this.#kind = kind;
    this.#sandbox = sandbox;
    this.#codex = codex;
    this.#host = host;
  }

  static async open(kind: HostileKind): Promise<Lane> {
    const sandbox = await openSandbox({ binary: kind.binary ?? "codex" });
    const codex = await fakeCodex(sandbox.root, { acts: [] });
    await sandbox.configure({
      binary: kind.binary ?? codex.path,
      sandbox: "danger-full-access",
      timeouts: { grace_ms: kind.graceMs },
      ...(kind.stays ? { transport: "app-server", warm: { spare: false } } : {}),
    });
    const host = await startHost({ env: sandbox.env });
    await host.initialize();
    return new Lane(kind, sandbox, codex, host);
  }

  /** Starts a turn, cancels it at some moment, looks at what is left. */
  async cancelOne(dice: () => number): Promise<Outcome> {
    const id = SLEEP + ++turns;
    const { model } = this.#sandbox;
    model.setSteps(this.#kind.steps?.(id) ?? []);
    const scenario = this.#kind.scenario?.(id, dice);
    if (scenario !== undefined) await this.#codex.play(scenario);

    const turn = this.#ask("go", true);
    await this.#moment(turn, id, dice);
    const children = scenario === undefined ? [] : await this.#childPids(id);
    const ended = turn.seen.at(-1)?.type === "message_end";
    const cancelled = performance.now();
    await turn.cancel();
    const { thread_id } = await turn.end();
    const ms = ended ? undefined : performance.now() - cancelled;
    const orphans = (await this.#orphans(id, children))
      .filter(({ command }) => !(this.#kind.stays && / app-server /.test(command)));
    for (const { pid } of orphans) kill(pid);

    model.setSteps([]);
    await this.#codex.play({ acts: plainTurn("ok") });
    const next = await this.#ask("and now?", false).result;
    const sameThread = thread_id === "" || next.thread_id === thread_id;
    return {
      kind: this.#kind.name,
      ms,
      orphans: orphans.map(({ pid, command }) => `${pid} ${command}`),
      files: this.#filesLeft(),
      goesOn: next.stop_reason === "end_turn" && sameThread,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    await this.#sandbox[Symbol.asyncDispose]();
  }

  #ask(text: string, withImage: boolean): Turn {
    const image = { type: "image", data_base64: PIXEL.png };
    const images = withImage && this.#kind.binary === undefined ? [image] : [];
    return this.#host.stream({
      agent: { agent_id: "cx", workspace: this.#sandbox.workspace },
      request: { messages: [{ role: "user", content: [{ type: "text", text }, ...images] }] },
    });
  }

  /** Somewhere between the request and well into the turn. */
  async #moment(turn: Turn, id: number, dice: () => number): Promise<void> {
    const when = dice();
    if (when < 0.1) return;
    if (when > 0.5) await turn.until("message_start");
    if (when > 0.7 && this.#kind.scenario !== undefined) await this.#codex.reached(`busy-${id}`);
    await new Promise((resolve) => setTimeout(resolve, dice() * 900));
  }

  /** Of the fake codex's children that live by now. */
  async #childPids(id: number): Promise<number[]> {
    const marks = join(this.#sandbox.root, "fake/marks");
    const pids: number[] = [];
    try {
      for await (const { name } of Deno.readDir(marks)) {
        if (!new RegExp(`^${id}-\\d+$`).test(name)) continue;
        pids.push(Number(await Deno.readTextFile(join(marks, name))));
      }
    } catch {
      // None has been started.
    }
    return pids;
  }

  /** Everything that has to do with the turn: by our folder, by its sleep, by its pid. */
  async #orphans(id: number, pids: number[]): Promise<{ pid: number; command: string }[]> {
    const under = (await this.#sandbox.processes()).filter(({ pid }) => pid !== this.#host.pid);
    const { stdout } = await new Deno.Command("ps", { args: ["axww", "-o", "pid=,stat=,args="] })
      .output();
    const others = new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
      const [, pid, stat, command = ""] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
      const ours = command.includes(`sleep ${id}`) ||
        (pids.includes(Number(pid)) && command.startsWith("sleep 1000000"));
      return ours && !stat?.startsWith("Z") ? [{ pid: Number(pid), command }] : [];
    });
    return [...under, ...others];
  }

  #filesLeft(): number {
    const state = join(this.#sandbox.profile, "plugins/plexum-openai-provider/state/running");
    const left = [state, this.#sandbox.runtime].flatMap(namesIn).length;
    // Its own mark, and the one that the next turn will have.
    return this.#kind.stays ? Math.max(0, left - 2) : left;
  }
}

function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

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

/** Medians and maxima per kind, in Markdown. */
export function hostileTable(outcomes: readonly Outcome[]): string {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].sort();
  const rows = [...kinds, "all"].map((kind) => {
    const of = outcomes.filter((one) => kind === "all" || one.kind === kind);
    const times = of.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b);
    const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
    const cells = [
      kind,
      of.length,
      of.reduce((sum, { orphans }) => sum + orphans.length, 0),
      of.reduce((sum, { files }) => sum + files, 0),
      of.filter(({ goesOn }) => !goesOn).length,
      `${at(0.5)} / ${at(0.95)} / ${at(1)}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| turns | cancels | orphans | files left | threads lost | cancel → message_end, ms (p50 / p95 / max) |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

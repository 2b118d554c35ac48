/** A workspace, and what must not be forgotten in it. */
import { locateRolloutSync } from "../../../rollout/locate.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import type { Turn } from "../../../tests/support/turn.ts";
import { TOOLS, turnsIn } from "./model.ts";

let turnNumber = 0;

/** A turn and the number in its prompt. */
export interface Asked {
  turn: Turn;
  number: number;
}

/** One workspace of a range. */
export class Place {
  readonly #lab: Lab;
  readonly #workspace: string;
  /** Whether a real codex works here: it remembers turns, and uses the host's tools. */
  readonly #real: boolean;
  #thread: string | undefined;
  /** Turns that ended well. */
  #done: number[] = [];

  constructor(lab: Lab, workspace: string) {
    this.#lab = lab;
    this.#workspace = workspace;
    this.#real = lab.version !== "";
  }

  ask(): Asked {
    const number = ++turnNumber;
    // A codex that does not connect to the host's tools is not let run; the fake one does not.
    const tools = this.#real ? TOOLS : [];
    const turn = this.#lab.start(`turn ${number}`, { workspace: this.#workspace, tools });
    return { turn, number };
  }

  /** Waits for the end of a turn that was shot at; how it ended, and what must go on from here. */
  async settle({ turn, number }: Asked): Promise<string> {
    const ended = await turn.end().catch((error: Error) => error);
    const [start] = turn.of("message_start");
    // A thread of which nothing was recorded holds nothing that could be lost.
    if (start && this.#recorded(start.thread_id, number)) this.#thread = start.thread_id;
    if (ended instanceof Error) {
      return /the plugin ended/.test(ended.message) ? "gone" : "not started";
    }
    if (ended.stop_reason === "end_turn") this.#done.push(number);
    return turn.of("error")[0]?.error.kind ?? ended.stop_reason;
  }

  /** The turn after the shot: it must end well, on the same thread, and remember. */
  async next(): Promise<{ broken?: string; lost?: string }> {
    const { turn, number } = this.ask();
    const end = await turn.end().catch((error: Error) => error);
    if (end instanceof Error || end.stop_reason !== "end_turn") {
      return { broken: `${end instanceof Error ? end.message : ""} ${turn.story()}` };
    }
    const before = this.#thread ?? end.thread_id;
    const known = turnsIn(turn.text);
    const forgotten = this.#real ? this.#done.filter((n) => !known.includes(n)) : [];
    this.#thread = end.thread_id;
    if (before === end.thread_id && forgotten.length === 0) {
      this.#done.push(number);
      return {};
    }
    this.#done = [number];
    return { lost: `${this.#workspace}: ${before} ${end.thread_id} ${forgotten}` };
  }

  /** Whether codex has recorded the prompt `turn N` in the thread. */
  #recorded(thread: string, turn: number): boolean {
    const located = locateRolloutSync(this.#lab.sandbox.codexHome, thread);
    return located.kind === "found" &&
      Deno.readTextFileSync(located.path).includes(`turn ${turn}`);
  }
}

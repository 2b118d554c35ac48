/**
 * A workspace whose turns are shot at, and what must not be forgotten in it. The model says something, calls
 * the host's tool once, and ends by telling which turns it remembers; a turn's prompt is `turn N`.
 */
import { SERVER_NAME } from "../../../mcp_host/registration.ts";
import { locateRolloutSync } from "../../../rollout/locate.ts";
import { type Act, began, completed, said } from "../../../tests/support/fake_codex.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import { callOutput, type ModelRequest, userTexts } from "../../../tests/support/model/request.ts";
import type { Step } from "../../../tests/support/model/step.ts";
import type { Turn } from "../../../tests/support/turn.ts";

let turnNumber = 0;

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

  /** A turn and the number in its prompt. */
  ask(): { turn: Turn; number: number } {
    const number = ++turnNumber;
    // A codex that does not connect to the host's tools is not let run; the fake one does not.
    const tools = this.#real ? TOOLS : [];
    const turn = this.#lab.start(`turn ${number}`, { workspace: this.#workspace, tools });
    return { turn, number };
  }

  /** Waits for the end of a turn that was shot at; how it ended, and what must go on from here. */
  async settle({ turn, number }: ReturnType<Place["ask"]>): Promise<string> {
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

/** The host's tool. */
export const TOOLS = [{ name: "echo", description: "echoes", inputSchema: { type: "object" } }];
/** How the host answers it. */
export const echo = () => ({ content: [{ type: "text", text: "echo" }] });

/** What the real codex is answered. */
export function answer(request: ModelRequest): Step {
  const turns = turnsIn(userTexts(request).join("\n"));
  const id = `call_${turns.at(-1) ?? 0}`;
  if (callOutput(request, id) !== undefined) {
    return { text: `remember ${turns.map((n) => `turn ${n}`).join(", ")}`, chunkDelayMs: 2 };
  }
  const namespace = `mcp__${SERVER_NAME}`;
  return {
    items: [
      { type: "message", text: "I will ask the host.", phase: "commentary" },
      { type: "function_call", namespace, name: "echo", args: {}, call_id: id },
    ],
    chunkDelayMs: 2,
  };
}

/** The numbers of the turns that a text names. */
export function turnsIn(text: string): number[] {
  return [...new Set([...text.matchAll(/\bturn (\d+)/g)].map(([, n]) => Number(n)))];
}

/**
 * The same for a fake codex, which remembers by resuming its thread: a call, and while it runs `lines` of
 * `padBytes` each that nobody knows.
 */
export function fakeActs(lines: number, padBytes: number, output: string): Act[] {
  const item = (type: string, fields: Record<string, unknown>): Act => ({
    rollout: [{ type: "response_item", payload: { type, call_id: "call $PROMPT", ...fields } }],
  });
  const print = { type: "item.completed", item: { id: "item_$N", type: "novelty", pad: "$PAD" } };
  return [
    began(),
    { print: { type: "turn.started" } },
    item("function_call", { name: "exec_command", arguments: '{"cmd":"ls -l"}' }),
    { flood: { count: lines, padBytes, print } },
    item("function_call_output", { output }),
    said("done"),
    completed(),
  ];
}

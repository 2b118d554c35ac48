/**
 * The model of turns that are shot at: it says something, calls the host's tool once, and ends by
 * telling which turns it remembers. A turn's prompt is `turn N`.
 */
import { callOutput, type ModelRequest, userTexts } from "../../../tests/support/model/request.ts";
import type { Step } from "../../../tests/support/model/step.ts";
import { SERVER_NAME } from "../../../mcp_host/registration/registration.ts";
import {
  type Act,
  began,
  completed,
  said,
  type Scenario,
} from "../../../tests/support/fake_codex.ts";

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

/** The same for a fake codex; it remembers by resuming its thread. */
export function scenario(): Scenario {
  const call = (type: string, fields: Record<string, unknown>): Act => ({
    rollout: [{ type: "response_item", payload: { type, call_id: "$PROMPT", ...fields } }],
  });
  return {
    acts: [
      began(),
      { print: { type: "turn.started" } },
      call("function_call", { name: "exec_command", arguments: "{}" }),
      { flood: { count: 3000, padBytes: 200, print: { type: "novelty", n: "$N", pad: "$PAD" } } },
      call("function_call_output", { output: "done" }),
      said("done"),
      completed(),
    ],
  };
}

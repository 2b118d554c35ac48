/**
 * The model of turns that are shot at: it says something, calls the host's tool once, and ends by
 * telling which turns it remembers. A turn's prompt is `turn N`.
 */
import { callOutput, type ModelRequest, userTexts } from "../../../tests/support/model/request.ts";
import type { Step } from "../../../tests/support/model/step.ts";
import { SERVER_NAME } from "../../../mcp_host/registration/registration.ts";
import { type Act, began, completed, said } from "../../../tests/support/fake_codex.ts";

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

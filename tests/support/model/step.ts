/**
 * The step language: what the scripted model does with one request.
 *
 * A step is one body (exactly one of `text`, `items`, `status`, `failed`, `incomplete`, `raw`,
 * `hang`, `stall`, `answer`) and any modifiers; `incomplete` may stand beside `text` or `items`.
 * A function is short for `{ answer: function }`. `checkStep` refuses anything else by name: a typo
 * in a script must not become a model that says something else.
 */
import type { ScriptedItem } from "./items.ts";
import type { ModelRequest } from "./request.ts";

/** Answers from what it was sent: for memory, tool outputs, gates (it may be async). */
export type Answer = (request: ModelRequest) => Step | Promise<Step>;

/** A step, or a function that makes one. */
export type ScriptedStep = Step | Answer;

/** One step; see the file's header for which keys exclude each other. */
export interface Step {
  /** An assistant message. */
  text?: string;
  /** Several output items, in order. */
  items?: ScriptedItem[];
  /** An HTTP error with `error` (wrapped as `{"error": …}`), or `body` as it stands. */
  status?: number;
  error?: unknown;
  body?: unknown;
  /** A `response.failed` event. */
  failed?: { code: string; message: string };
  /** `response.incomplete` with this reason, after `text` or `items`. */
  incomplete?: string;
  /** Literal server-sent events, then the end. */
  raw?: string;
  /** Headers and `response.created`, then nothing until codex goes away. */
  hang?: true;
  /** Not even headers. */
  stall?: true;
  /** Decides when the request is there. */
  answer?: Answer;

  /** Only for a request whose JSON contains this text; others pass the step over. */
  when?: string;
  /** Stays in the queue after use. */
  repeat?: true;
  usage?: ScriptedUsage;
  /** Code points per delta; 12 when left out. */
  chunk?: number;
  /** Pauses, in milliseconds: between deltas, and before the first byte. */
  chunkDelayMs?: number;
  delayMs?: number;
  /** Waits for this after the items and before the closing event. */
  hold?: Promise<unknown>;
  /** Drops the connection after so many events. */
  cutAfterEvents?: number;
  /** Ends the stream cleanly, but without its closing event. */
  cutBeforeCompleted?: true;
  responseId?: string;
  headers?: Record<string, string>;
}

/** Tokens of one response; what is left out is 100 in, 10 out, 0 else. */
export interface ScriptedUsage {
  input_tokens?: number;
  cached_tokens?: number;
  output_tokens?: number;
  reasoning_tokens?: number;
}

const BODIES = ["text", "items", "status", "failed", "raw", "hang", "stall", "answer"] as const;
const KEYS: ReadonlySet<string> = new Set([
  ...BODIES,
  ...["incomplete", "error", "body", "when", "repeat", "usage", "chunk", "chunkDelayMs", "delayMs"],
  ...["hold", "cutAfterEvents", "cutBeforeCompleted", "responseId", "headers"],
]);

/** Returns the step in its object form; throws TypeError when it is not one. */
export function checkStep(step: ScriptedStep): Step {
  if (typeof step === "function") return { answer: step };
  const shown = JSON.stringify(step);
  const unknown = Object.keys(step).filter((key) => !KEYS.has(key));
  if (unknown.length > 0) {
    throw new TypeError(`scripted model: unknown key ${unknown.join(", ")} in step ${shown}`);
  }
  const bodies = BODIES.filter((key) => step[key] !== undefined);
  const alone = step.incomplete !== undefined && bodies.length === 0;
  const mixed = step.incomplete !== undefined && bodies.some((key) => !/^(text|items)$/.test(key));
  if (!alone && bodies.length !== 1 || mixed) {
    const found = [...bodies, ...(step.incomplete === undefined ? [] : ["incomplete"])];
    throw new TypeError(
      `scripted model: a step needs exactly one body, found ${
        found.join(" and ") || "none"
      } in ${shown}`,
    );
  }
  return step;
}

/** A call of code mode's `exec`, under the name that the request offers it by. */
export function scriptCall(call_id: string, input: string): Answer {
  return (request) => {
    const spaced = JSON.stringify(request).includes('"type":"namespace","name":"functions"');
    const namespace = spaced ? { namespace: "functions" } : {};
    return { items: [{ type: "custom_tool_call", name: "exec", ...namespace, input, call_id }] };
  };
}

/**
 * What a probed codex is made to do, run by run, so that every kind of line comes up.
 *
 * @module
 */
import type { ScriptedItem } from "../../../tests/support/model/items.ts";
import type { ScriptedStep } from "../../../tests/support/model/step.ts";

/** One run of codex. */
export interface Probe {
  name: string;
  steps: ScriptedStep[];
  /** Goes on with the thread of the probe before it. */
  resume?: true;
  model?: string;
  /** More `-c` pairs. */
  config?: string[];
  /** codex is interrupted (SIGINT) when it has asked the model so often. */
  interruptAfter?: number;
}

let serial = 0;

function call(name: string, args: unknown, namespace?: string): ScriptedItem {
  const spaced = namespace === undefined ? {} : { namespace };
  return { type: "function_call", name, args, ...spaced, call_id: `call_${++serial}` };
}

function patch(...lines: string[]): ScriptedItem {
  const input = ["*** Begin Patch", ...lines, "*** End Patch", ""].join("\n");
  return { type: "custom_tool_call", name: "apply_patch", input, call_id: `call_${++serial}` };
}

const host = "mcp__plexum_host";
const plan = (status: string) => call("update_plan", { plan: [{ step: "look", status }] });
const search = { type: "tool_search_call", id: "ts_1", call_id: "call_ts", status: "completed" };
const script = 'text(await tools.exec_command({cmd:"echo hi"})); notify("now");';

/** The runs, in order. */
export const PROBES: readonly Probe[] = [
  {
    name: "answer",
    steps: [{
      items: [
        { type: "reasoning", summary: "**Thinking**", text: "raw" },
        { type: "message", text: "one moment", phase: "commentary" },
        { type: "web_search_call", query: "petrels" },
        { type: "message", text: "done", phase: "final_answer" },
      ],
      usage: { input_tokens: 900, cached_tokens: 400, output_tokens: 50, reasoning_tokens: 12 },
    }],
  },
  {
    name: "codex's tools",
    resume: true,
    steps: [
      { items: [plan("in_progress"), call("exec_command", { cmd: "echo hi; exit 3" })] },
      { items: [patch("*** Add File: new.txt", "+x"), patch("*** Delete File: nowhere.txt")] },
      { items: [call("exec_command", { cmd: "sleep 0.1; echo late", yield_time_ms: 250 })] },
      { items: [call("no_such_tool", {}), plan("completed")] },
      { text: "done" },
    ],
  },
  {
    name: "host tools",
    resume: true,
    steps: [
      {
        items: [{
          type: "raw",
          item: { ...search, execution: "client", arguments: { query: "echo", limit: 5 } },
        }],
      },
      { items: [call("echo", { text: "ok" }, host), call("echo", { text: "fail" }, host)] },
      { text: "done" },
    ],
  },
  { name: "a long conversation", steps: [{ text: "first", usage: { input_tokens: 90_000 } }] },
  {
    name: "compacted",
    resume: true,
    config: ["model_auto_compact_token_limit=50000"],
    steps: [{ text: "SUMMARY" }, { text: "second" }],
  },
  {
    name: "code mode",
    model: "gpt-5.6-sol",
    steps: [
      { items: [{ type: "custom_tool_call", name: "exec", input: script, call_id: "call_js" }] },
      { text: "done" },
    ],
  },
  {
    name: "a model nobody knows",
    model: "no-such-model",
    resume: true,
    steps: [{ text: "ok" }],
  },
  {
    name: "reconnected",
    config: ["model_providers.scripted.stream_max_retries=1"],
    steps: [{ text: "cut", cutBeforeCompleted: true }, { text: "ok" }],
  },
  { name: "refused", steps: [{ failed: { code: "invalid_prompt", message: "no" } }] },
  { name: "out of quota", steps: [{ status: 429, error: { type: "usage_limit_reached" } }] },
  {
    name: "interrupted",
    interruptAfter: 2,
    steps: [{ items: [call("exec_command", { cmd: "sleep 9", yield_time_ms: 250 })] }, {
      hang: true,
    }],
  },
];

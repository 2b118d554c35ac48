/**
 * What a codex is made to do so that every kind of line that it prints and records comes up: the one
 * description of the captured runs in `tests/fixtures/<version>/<name>/` and of what versions are
 * compared by. Names that older fixtures have mean the same here.
 */
import type { ScriptedItem } from "../../../tests/support/model/items.ts";
import { scriptCall, type ScriptedStep } from "../../../tests/support/model/step.ts";

/** A JSON Schema for an answer. */
export const BIRDS = {
  type: "object",
  properties: { birds: { type: "integer" } },
  required: ["birds"],
  additionalProperties: false,
};

/** One start of codex. */
export interface CodexRun {
  steps: ScriptedStep[];
  /** `plain` calls tools one by one, `code` writes scripts; `default` is what the version takes. */
  model?: "plain" | "code" | "default" | { name: string };
  /** More `-c` pairs. */
  config?: string[];
  /** codex is interrupted (SIGINT) when it has asked the model so often in this run. */
  interruptAfter?: number;
  /** A JSON Schema for the answer. */
  outputSchema?: Record<string, unknown>;
}

/** Runs on one thread, one after the other. */
export interface CodexScenario {
  name: string;
  runs: CodexRun[];
}

let serial = 0;

function call(name: string, args: unknown, namespace?: string): ScriptedItem {
  const spaced = namespace === undefined ? {} : { namespace };
  return { type: "function_call", name, args, ...spaced, call_id: `call_${++serial}` };
}

function command(cmd: string, more: Record<string, unknown> = {}): ScriptedItem {
  return call("exec_command", { cmd, ...more });
}

function patch(...lines: string[]): ScriptedItem {
  const input = ["*** Begin Patch", ...lines, "*** End Patch", ""].join("\n");
  return { type: "custom_tool_call", name: "apply_patch", input, call_id: `call_${++serial}` };
}

const script = (input: string) => scriptCall(`call_${++serial}`, input);
const SHELL = 'text(await tools.exec_command({cmd:"echo hi"})); notify("now");';
const done: ScriptedStep = { text: "done" };
const echo = (text: string) => call("echo", { text }, "mcp__plexum_host");
const plan = (status: string) => call("update_plan", { plan: [{ step: "look", status }] });
const one = (name: string, ...steps: ScriptedStep[]): CodexScenario => ({
  name,
  runs: [{ steps }],
});
const on = (name: string, model: "default" | "code", ...steps: ScriptedStep[]): CodexScenario => ({
  name,
  runs: [{ model, steps }],
});
const usage = { input_tokens: 900, cached_tokens: 400, output_tokens: 50, reasoning_tokens: 12 };

/** Every scenario. */
export const CODEX_SCENARIOS: readonly CodexScenario[] = [
  one("text", { text: "Hello world, streamed in several deltas.", usage }),
  one("commentary", {
    items: [
      { type: "message", text: "one moment", phase: "commentary" },
      { type: "message", text: "done", phase: "final_answer" },
    ],
  }),
  one("reasoning", {
    items: [{ type: "reasoning", summary: ["**First**", "**Second**"], text: "raw" }, {
      type: "message",
      text: "thought",
    }],
  }),
  one("websearch", { items: [{ type: "web_search_call", query: "petrels" }] }, done),
  one("plan", { items: [plan("in_progress")] }, { items: [plan("completed")] }, done),
  one("empty-response", { items: [] }),
  one("shell-ok", { items: [command("echo one; echo two >&2")] }, done),
  one("shell-fail", { items: [command("echo broken >&2; exit 3")] }, done),
  one(
    "shell-long-yield",
    { items: [command("sleep 0.1; echo late", { yield_time_ms: 250 })] },
    done,
  ),
  one("parallel", { items: ["a", "b", "c"].map((name) => command(`echo ${name}`)) }, done),
  one("patch-ok", { items: [patch("*** Add File: new.txt", "+x")] }, done),
  one("patch-fail", { items: [patch("*** Delete File: nowhere.txt")] }, done),
  one("unknown-tool", { items: [call("no_such_tool", {})] }, done),
  one("mcp-echo", { items: [echo("ok")] }, done),
  one("mcp-then-shell", { items: [echo("ok")] }, { items: [command("echo hi")] }, done),
  one("mcp-iserror", { items: [echo("fail")] }, done),
  one("mcp-toolsearch", {
    items: [{
      type: "raw",
      item: {
        ...{ type: "tool_search_call", id: "ts_1", call_id: "call_ts", status: "completed" },
        ...{ execution: "client", arguments: { query: "echo", limit: 5 } },
      },
    }],
  }, done),
  {
    name: "output-schema",
    runs: [{ steps: [{ text: '{"birds":3}' }], outputSchema: BIRDS }],
  },
  {
    name: "resume-3-turns",
    runs: [
      { steps: [{ items: [echo("héllo")] }, { text: "All done.", usage }] },
      { steps: [{ text: "later turn ok" }] },
      { steps: [{ text: "later turn ok" }] },
    ],
  },
  {
    name: "compaction-3-turns",
    runs: [
      { steps: [{ items: [echo("early")] }, { text: "first", usage: { input_tokens: 90_000 } }] },
      {
        config: ["model_auto_compact_token_limit=50000"],
        steps: [{ text: "SUMMARY" }, { text: "second" }],
      },
      { steps: [{ text: "third" }] },
    ],
  },
  {
    name: "unknown-model",
    runs: [{ model: "plain", steps: [{ text: "known" }] }, {
      model: { name: "no-such-model" },
      steps: [{ text: "ok" }],
    }],
  },
  on("default-text", "default", { text: "hello", usage }),
  on("default-async-message", "default", {
    items: [
      call("send_message_to_user_async", { message: "found it" }, "functions"),
      call("request_user_input_async", { questions: [{ title: "Go on?" }] }, "functions"),
    ],
  }, done),
  on("default-mcp", "default", { items: [echo("ok")] }, script('text("after it");'), done),
  on("default-shell", "default", script(SHELL), done),
  on("cm-shell", "code", script(SHELL), done),
  on(
    "cm-mcp",
    "code",
    script('text(await tools.mcp__plexum_host__echo({text:"from a script"}));'),
    { items: [echo("as a function")] },
    done,
  ),
  {
    name: "cut-midstream-retry",
    runs: [{
      config: ["model_providers.scripted.stream_max_retries=1"],
      steps: [{ text: "cut", cutBeforeCompleted: true }, { text: "ok" }],
    }],
  },
  one("cut-midstream-noretry", { text: "cut off", cutAfterEvents: 4 }),
  one("incomplete", { text: "half an ans", incomplete: "max_output_tokens" }),
  one("failed-invalid-prompt", { failed: { code: "invalid_prompt", message: "no" } }),
  one("failed-context", {
    failed: { code: "context_length_exceeded", message: "Your input exceeds the context window." },
  }),
  one("http-401", {
    status: 401,
    error: { code: "invalid_api_key", message: "Incorrect API key provided" },
  }),
  one("http-404", { status: 404, error: { code: "model_not_found", message: "model not found" } }),
  one("http-429-quota", {
    status: 429,
    error: { type: "usage_limit_reached", plan_type: "plus", resets_at: 2_000_000_000 },
  }),
  one("http-500", { status: 500, error: { message: "oops" } }),
  {
    name: "cancel-shell-SIGINT-native",
    runs: [{
      interruptAfter: 2,
      steps: [{ items: [command("echo started; sleep 9", { yield_time_ms: 250 })] }, {
        hang: true,
      }],
    }],
  },
];

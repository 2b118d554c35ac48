/** Lines as codex writes them into a rollout, and as `codex exec --json` prints them; and nearly so. */
import * as fc from "fast-check";
import { anyValue, count, list, object, text, word } from "./json_text.ts";

/** Few ids, so that calls, outputs and outcomes meet; some that escape, some that are no names. */
export const CALL_IDS = ["call_1", "call_2", "é\u2028", 'q"\\', "__proto__", ""];

const id = fc.oneof(
  { weight: 8, arbitrary: word(...CALL_IDS) },
  // The same id in another spelling: an escape for its first character.
  { weight: 1, arbitrary: fc.constantFrom('"\\u0063all_1"', '"call\\u005f2"') },
);
const parts = list(object({ type: word("input_text", "input_image"), text, image_url: text }));
/** Up to 0.59 a shell's output is JSON in a string. */
const shellOutput = fc.tuple(fc.string(), fc.integer({ min: -1, max: 3 })).map(([output, exit]) =>
  JSON.stringify(JSON.stringify({ output, metadata: { exit_code: exit, duration_seconds: 0.1 } }))
);
const output = fc.oneof(
  text,
  text,
  parts,
  word("Exit code: 1\nx", "aborted", "...(consumed)"),
  shellOutput,
);
const item = fc.oneof(
  object({
    type: word("function_call", "custom_tool_call", "local_shell_call", "tool_search_call"),
    name: word("echo", "exec", "exec_command", ""),
    namespace: word("mcp__plexum", "functions"),
    arguments: fc.oneof(text, word("{}", '{"a":1}'), object({ q: text })),
    input: text,
    action: object({ command: list(text) }),
    call_id: id,
  }),
  object({
    type: word("function_call_output", "custom_tool_call_output", "tool_search_output"),
    call_id: id,
    output,
    tools: parts,
  }),
  object({ type: word("reasoning"), summary: list(object({ type: word("summary_text"), text })) }),
  object({ type: word("message", "novelty"), role: word("user", "assistant"), content: parts }),
);
const tokens = object({ input_tokens: count, output_tokens: count, cached_input_tokens: count });
const event = fc.oneof(
  object({
    type: word("token_count"),
    info: object({ total_token_usage: tokens, last_token_usage: tokens }),
  }),
  object({
    type: word("agent_message", "turn_aborted", "error", "task_complete", "novelty"),
    message: text,
    phase: word("commentary", "final_answer", "novel"),
    reason: text,
    codex_error_info: anyValue,
    last_agent_message: text,
    error: object({ message: text, codex_error_info: anyValue }),
  }),
  object({
    type: word("mcp_tool_call_end", "patch_apply_end", "exec_command_end"),
    call_id: id,
    success: fc.constantFrom("true", "false"),
    exit_code: count,
    result: object({ Ok: object({ isError: fc.constantFrom("true", "false") }) }),
  }),
  object({
    type: word("item_completed"),
    item: object({
      type: word("AgentMessage", "McpToolCall", "CommandExecution"),
      id,
      content: parts,
      status: word("failed", "completed", "declined"),
      exit_code: count,
      phase: word("commentary"),
    }),
  }),
);

/** codex's own, and those of other versions and of tools that rewrite sessions. */
const timestamp = fc.constantFrom(
  ...Array<string>(6).fill("2026-11-22T12:26:37.004Z"),
  "2026-11-22T12:26:37Z",
  "2026-11-22T12:26:37.004123Z",
  "2026-11-22T12:26:37.004+02:00",
  "",
);

/** What an editor puts before a prompt. */
const prompt = fc.tuple(fc.boolean(), fc.string()).map(([ide, asked]) =>
  JSON.stringify(ide ? `# Context from my IDE setup:\n\n## My request for Codex:\n${asked}` : asked)
);

/** Lines of the first versions, which have no envelope; among them calls that nobody may take for calls. */
const flatLine = fc.oneof(
  item,
  object({ id, timestamp: text, instructions: text }),
  object({ record_type: word("state") }),
);

/** As codex writes it since 0.32: with a time, a type, and a payload. */
const enveloped: fc.Arbitrary<string> = fc.tuple(
  fc.constantFrom("", ',"ordinal":7', ',"ordinal":x', ' ,"ordinal":1'),
  fc.oneof(
    { weight: 8, arbitrary: item.map((payload) => body("response_item", payload)) },
    { weight: 5, arbitrary: event.map((payload) => body("event_msg", payload)) },
    {
      weight: 2,
      arbitrary: object({ message: text, replacement_history: list(item) })
        .map((payload) => body("compacted", payload)),
    },
    {
      weight: 1,
      arbitrary: fc.oneof(anyValue, object({ id: text, cwd: text }))
        .map((payload) => body("session_meta", payload)),
    },
    {
      weight: 1,
      arbitrary: object({ type: word("user_message", "task_started"), message: prompt })
        .map((payload) => body("event_msg", payload)),
    },
    { weight: 1, arbitrary: anyValue.map((payload) => body("response_item", payload)) },
  ),
  fc.constantFrom("", "", "", "   ", "\r"),
  timestamp,
).map(([ordinal, rest, space, time]) => `{"timestamp":"${time}"${ordinal},${rest}${space}`);

/** One line, without its end. */
export const rolloutLine: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: enveloped },
  { weight: 1, arbitrary: flatLine },
);

function body(type: string, payload: string): string {
  return `"type":"${type}","payload":${payload}}`;
}

const printedItem = object({
  id: word("item_0", "item_1", ""),
  type: word(
    ...["agent_message", "reasoning", "command_execution", "mcp_tool_call", "file_change"],
    ...["todo_list", "web_search", "collab_tool_call", "error", "novelty", ""],
  ),
  text,
  message: text,
  query: text,
  items: list(object({ text, completed: fc.constantFrom("true", "false") })),
  status: word("in_progress", "completed", "failed"),
});
const usage = object({
  input_tokens: count,
  cached_input_tokens: count,
  cache_write_input_tokens: count,
  output_tokens: count,
  reasoning_output_tokens: count,
});

/** A printed line, without its end. */
export const execLine: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: object({
      type: word("item.started", "item.updated", "item.completed"),
      item: printedItem,
    }),
  },
  { weight: 2, arbitrary: object({ type: word("turn.completed"), usage }) },
  { weight: 2, arbitrary: object({ type: word("turn.failed"), error: object({ message: text }) }) },
  {
    weight: 2,
    arbitrary: object({
      type: word("error", "thread.started", "turn.started", "novel"),
      message: fc.oneof(text, word("Reconnecting... 1/2 (x)")),
      thread_id: text,
    }),
  },
  { weight: 1, arbitrary: anyValue },
);

/** Lines as `codex exec --json` prints them, and nearly so. */
import * as fc from "fast-check";
import { anyValue, count, list, object, text, word } from "./json_text.ts";

const item = object({
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

/** One line, without its end. */
export const execLine: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: object({ type: word("item.started", "item.updated", "item.completed"), item }),
  },
  { weight: 2, arbitrary: object({ type: word("turn.completed"), usage }) },
  {
    weight: 2,
    arbitrary: object({ type: word("turn.failed"), error: object({ message: text }) }),
  },
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

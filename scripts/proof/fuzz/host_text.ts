/** Frames as a host sends them, and nearly so. */
import * as fc from "fast-check";
import { anyValue, count, list, object, text, word } from "./json_text.ts";

/** In a case, the directory that belongs to it. */
export const ROOT_MARK = "$ROOT";

const id = fc.oneof(
  { weight: 6, arbitrary: fc.nat(9).map(String) },
  { weight: 2, arbitrary: word("a", "b", "") },
  { weight: 1, arbitrary: anyValue },
);
const workspace = word(
  "$ROOT/w",
  "$ROOT/new/er",
  "",
  "relative",
  "$ROOT/file/below",
  "/dev/null/x",
);
const block = object({
  type: word("text", "thinking", "tool_use", "tool_result", "image", "novel"),
  text,
  thinking: text,
  id: text,
  name: text,
  tool_use_id: text,
  path: word("/nowhere.png"),
  data_base64: word("AAAA", "%"),
  media_type: word("image/png", "x"),
});
const request = object({
  messages: list(object({ role: word("user", "assistant"), content: fc.oneof(text, list(block)) })),
  tools: list(object({ name: text, description: text, inputSchema: anyValue })),
  system: text,
  output_schema: anyValue,
  max_tokens: count,
});
const params = {
  "plexum/provider/stream": object({
    model: word("codex", "m", "__proto__"),
    agent: object({ agent_id: word("cx", "../../..", ""), workspace }),
    session_id: text,
    request,
  }),
  "plexum/session/mutate": object({
    agent_id: word("cx", "../../..", ""),
    workspace,
    mutations: list(object({ block_id: text, op: word("consume-light", "x") })),
  }),
  "logging/setLevel": object({ level: word("debug", "emergency", "loud") }),
  "initialize": object({ protocolVersion: text, capabilities: anyValue, clientInfo: anyValue }),
  "ping": anyValue,
  "tools/list": anyValue,
  "plexum/stats": anyValue,
  "no/such": anyValue,
  "toString": anyValue,
};
const asked = fc.oneof(
  ...Object.entries(params).map(([method, params]) =>
    object({ jsonrpc: word("2.0"), id, method: word(method), params })
  ),
);

/** One frame, without its newline. */
export const hostFrame: fc.Arbitrary<string> = fc.oneof(
  { weight: 10, arbitrary: asked },
  {
    weight: 2,
    arbitrary: object({
      jsonrpc: word("2.0"),
      method: word("notifications/cancelled", "notifications/initialized", "notifications/x"),
      params: object({ requestId: id, reason: text }),
    }),
  },
  {
    weight: 1,
    arbitrary: object({ jsonrpc: word("2.0"), id, result: anyValue, error: anyValue }),
  },
  { weight: 1, arbitrary: list(asked) },
  { weight: 1, arbitrary: anyValue },
);

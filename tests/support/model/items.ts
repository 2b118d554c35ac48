/**
 * Output items of the Responses API: as a script writes them, and as the wire streams them.
 *
 * A script says only what matters (`{ type: "message", text: "hi" }`); the rest that codex expects
 * is added here. Shapes were checked against codex 0.135.0, 0.150.1 and 0.169.0.
 */

/** An item as a script writes it. `id` and `call_id` are made up when they are left out. */
export type ScriptedItem =
  | { type: "message"; text: string; phase?: "commentary" | "final_answer"; id?: string }
  | ScriptedReasoning
  | ScriptedFunctionCall
  | ScriptedCustomCall
  | { type: "local_shell_call"; command: string[]; call_id?: string; id?: string }
  | { type: "web_search_call"; query: string; id?: string }
  /** Any other item, announced and finished as it stands. */
  | { type: "raw"; item: { type: string; [field: string]: unknown } };

/** `summary` is what codex shows as reasoning, one entry per part; `text` the raw thoughts. */
export interface ScriptedReasoning {
  type: "reasoning";
  summary?: string | string[];
  text?: string;
  encrypted?: string;
  id?: string;
}

/** `args` is a value, or the JSON text itself (so that it can be broken on purpose). */
export interface ScriptedFunctionCall {
  type: "function_call";
  name: string;
  namespace?: string;
  args?: unknown;
  call_id?: string;
  id?: string;
}

/** A shell command, as the model asks for it; `more` are other arguments of codex's tool. */
export function command(
  cmd: string,
  call_id?: string,
  more: Record<string, unknown> = {},
): ScriptedFunctionCall {
  return {
    type: "function_call",
    name: "exec_command",
    args: { cmd, ...more },
    ...(call_id === undefined ? {} : { call_id }),
  };
}

/** A call whose input is free text: `apply_patch`, code mode's `exec`. */
export interface ScriptedCustomCall {
  type: "custom_tool_call";
  name: string;
  namespace?: string;
  input: string;
  call_id?: string;
  id?: string;
}

/** One server-sent event: its type and its data (which repeats the type on the wire). */
export type SseEvent = [type: string, data: Record<string, unknown>];

/** How one item travels: announced as `opening`, filled by `deltas`, finished as `done`. */
export interface StreamedItem {
  opening: Record<string, unknown>;
  deltas: SseEvent[];
  done: Record<string, unknown>;
}

/** Where in a response an item stands, and how it is to be cut into pieces. */
export interface ItemPlace {
  index: number;
  chunk: number;
  newId: (prefix: string) => string;
}

/** Turns a scripted item into what the wire carries. */
export function streamItem(item: ScriptedItem, place: ItemPlace): StreamedItem {
  switch (item.type) {
    case "message":
      return streamMessage(item.text, item.phase, item.id ?? place.newId("msg"), place);
    case "reasoning":
      return streamReasoning(item, item.id ?? place.newId("rs"), place);
    case "function_call": {
      const args = typeof item.args === "string" ? item.args : JSON.stringify(item.args ?? {});
      return streamCall(item, "fc", "arguments", args, "response.function_call_arguments", place);
    }
    case "custom_tool_call":
      return streamCall(item, "ctc", "input", item.input, "response.custom_tool_call_input", place);
    case "local_shell_call": {
      const action = { type: "exec", command: item.command, env: {} };
      const call_id = item.call_id ?? place.newId("call");
      return whole({ type: item.type, id: item.id ?? place.newId("lsh"), call_id, action });
    }
    case "web_search_call": {
      const action = { type: "search", query: item.query };
      return whole({ type: item.type, id: item.id ?? place.newId("ws"), action });
    }
    case "raw":
      return { opening: item.item, deltas: [], done: item.item };
    default:
      throw unknownItem(item);
  }
}

function unknownItem(item: never): TypeError {
  return new TypeError(`scripted model: unknown item type in ${JSON.stringify(item)}`);
}

function whole(item: Record<string, unknown>): StreamedItem {
  return {
    opening: { ...item, status: "in_progress" },
    deltas: [],
    done: { ...item, status: "completed" },
  };
}

function streamMessage(
  text: string,
  phase: string | undefined,
  id: string,
  { index, chunk }: ItemPlace,
): StreamedItem {
  const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });
  const at = { item_id: id, output_index: index, content_index: 0 };
  const base = { type: "message", id, role: "assistant", ...(phase ? { phase } : {}) };
  return {
    opening: { ...base, status: "in_progress", content: [] },
    deltas: [
      ["response.content_part.added", { ...at, part: part("") }],
      ...pieces(text, chunk).map((delta): SseEvent => [
        "response.output_text.delta",
        { ...at, delta, logprobs: [] },
      ]),
      ["response.output_text.done", { ...at, text, logprobs: [] }],
      ["response.content_part.done", { ...at, part: part(text) }],
    ],
    done: { ...base, status: "completed", content: [part(text)] },
  };
}

function streamReasoning(item: ScriptedReasoning, id: string, place: ItemPlace): StreamedItem {
  const base = { item_id: id, output_index: place.index };
  const summaries = item.summary === undefined ? [] : [item.summary].flat();
  const deltas = summaries.flatMap((text, summary_index): SseEvent[] => {
    const at = { ...base, summary_index };
    const part = { type: "summary_text", text };
    return [
      ["response.reasoning_summary_part.added", { ...at, part: { ...part, text: "" } }],
      ...pieces(text, place.chunk).map((delta): SseEvent => [
        "response.reasoning_summary_text.delta",
        { ...at, delta },
      ]),
      ["response.reasoning_summary_text.done", { ...at, text }],
      ["response.reasoning_summary_part.done", { ...at, part }],
    ];
  });
  if (item.text !== undefined) {
    const at = { ...base, content_index: 0 };
    for (const delta of pieces(item.text, place.chunk)) {
      deltas.push(["response.reasoning_text.delta", { ...at, delta }]);
    }
    deltas.push(["response.reasoning_text.done", { ...at, text: item.text }]);
  }
  return {
    opening: { type: "reasoning", id, summary: [] },
    deltas,
    done: {
      type: "reasoning",
      id,
      summary: summaries.map((text) => ({ type: "summary_text", text })),
      ...(item.text === undefined
        ? {}
        : { content: [{ type: "reasoning_text", text: item.text }] }),
      encrypted_content: item.encrypted ?? "c2NyaXB0ZWQ=",
    },
  };
}

function streamCall(
  item: ScriptedFunctionCall | ScriptedCustomCall,
  prefix: string,
  field: "arguments" | "input",
  value: string,
  event: string,
  { index, chunk, newId }: ItemPlace,
): StreamedItem {
  const id = item.id ?? newId(prefix);
  const at = { item_id: id, output_index: index };
  const { type, name, namespace } = item;
  const call_id = item.call_id ?? newId("call");
  const base = { type, id, name, ...(namespace ? { namespace } : {}), call_id };
  return {
    opening: { ...base, status: "in_progress", [field]: "" },
    deltas: [
      ...pieces(value, chunk * 4).map((delta): SseEvent => [`${event}.delta`, { ...at, delta }]),
      [`${event}.done`, { ...at, [field]: value }],
    ],
    done: { ...base, status: "completed", [field]: value },
  };
}

/** Pieces of at most `size` code points, so that no character is cut in two. */
function pieces(text: string, size: number): string[] {
  const points = [...text];
  return Array.from(
    { length: Math.ceil(points.length / size) },
    (_, i) => points.slice(i * size, (i + 1) * size).join(""),
  );
}

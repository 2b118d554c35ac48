/**
 * The host's wire, revision 1: every name and shape that crosses the plugin's stdio, and nothing else.
 *
 * JSON-RPC 2.0, one object per line, only 0x0A ends a line. The host asks for turns
 * (`plexum/provider/stream`) and for edits of old tool output (`plexum/session/mutate`); during a turn the plugin sends `notifications/plexum/provider/event` and
 * may ask the host to run one of its own tools (`plexum/host/tool/call`). Plexum's params are
 * snake_case; camelCase is understood on input. The host's own SDK is not public: whoever has it can
 * correct this plugin here, in one place.
 *
 * `docs/protocol.md` tells the story for people who write hosts; `docs/schema/*.json` is generated
 * from the schemas below.
 *
 * @module
 */
import * as z from "zod/mini";

/** Revision of this protocol, sent in `initialize` under `capabilities.experimental.plexum`. */
export const REVISION = 1;
/** The MCP version whose lifecycle the handshake follows. */
export const MCP_VERSION = "2025-06-18";
/** The plugin's name on every wire and in the profile. */
export const PLUGIN_NAME = "plexum-openai-provider";
/** The file that an operator drops into the profile. */
export const EXECUTABLE_NAME = "plexum-openai-provider-plugin";
/** Longest accepted frame, in bytes without its newline. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Method names, by who sends them. */
export const METHOD = {
  initialize: "initialize",
  ping: "ping",
  toolsList: "tools/list",
  setLogLevel: "logging/setLevel",
  stream: "plexum/provider/stream",
  mutate: "plexum/session/mutate",
  hostToolCall: "plexum/host/tool/call",
  initialized: "notifications/initialized",
  cancelled: "notifications/cancelled",
  event: "notifications/plexum/provider/event",
  log: "notifications/message",
} as const;

/** JSON-RPC error codes in use. */
export const CODE = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** The domain's own failures; `data` is an {@link ErrorBody}. */
  domain: -32000,
  notInitialized: -32002,
} as const;

/** Keys that are understood in a second spelling on input. */
const SPELLING: Record<string, string> = {
  agentId: "agent_id",
  sessionId: "session_id",
  outputSchema: "output_schema",
  maxTokens: "max_tokens",
  input_schema: "inputSchema",
  toolUseId: "tool_use_id",
  isError: "is_error",
  dataBase64: "data_base64",
  mediaType: "media_type",
  blockId: "block_id",
};
/** Values that belong to the host or the model: their keys are never touched. */
const OPAQUE = new Set(["inputSchema", "output_schema", "input", "annotations", "_meta"]);

/** The same value with every known key in this document's spelling. */
export function canonicalSpelling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonicalSpelling);
  if (typeof value !== "object" || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = (Object.hasOwn(SPELLING, key) ? SPELLING[key] : undefined) ?? key;
    // With both spellings present, the documented one wins.
    if (name !== key && Object.hasOwn(value, name)) continue;
    out[name] = OPAQUE.has(name) ? inner : canonicalSpelling(inner);
  }
  return out;
}

const params = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(z.transform(canonicalSpelling), schema);

// ---------------------------------------------------------------- content blocks

const TextBlock = z.looseObject({ type: z.literal("text"), text: z.string() });
const ThinkingBlock = z.looseObject({
  type: z.literal("thinking"),
  thinking: z.string(),
  signature: z.optional(z.string()),
});
const ToolUseBlock = z.looseObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.optional(z.unknown()),
});
const ToolResultBlock = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.optional(z.unknown()),
  is_error: z.optional(z.boolean()),
});
const ImageBlock = z.looseObject({
  type: z.literal("image"),
  url: z.optional(z.string()),
  data_base64: z.optional(z.string()),
  path: z.optional(z.string()),
  media_type: z.optional(z.string()),
});
/** Stands for every block type that this revision does not name: ignored, never an error. */
const OtherBlock = z.looseObject({ type: z.literal("other") });

const KNOWN_BLOCKS = new Set(["text", "thinking", "tool_use", "tool_result", "image"]);
const nameUnknownBlocks = (content: unknown): unknown =>
  Array.isArray(content)
    ? content.map((block) => {
      const type = typeof block === "object" && block !== null && "type" in block
        ? block.type
        : undefined;
      return typeof type === "string" && !KNOWN_BLOCKS.has(type) ? { type: "other" } : block;
    })
    : content;

/** One piece of a message. */
export const ContentBlock = z.discriminatedUnion("type", [
  TextBlock,
  ThinkingBlock,
  ToolUseBlock,
  ToolResultBlock,
  ImageBlock,
  OtherBlock,
]);
/** One piece of a message. */
export type ContentBlock = z.infer<typeof ContentBlock>;

/** A message of the conversation; `content` may be plain text. */
export const Message = z.looseObject({
  role: z.string(),
  content: z.union([
    z.string(),
    z.pipe(z.transform(nameUnknownBlocks), z.array(ContentBlock)),
  ]),
});
/** A message of the conversation; `content` may be plain text. */
export type Message = z.infer<typeof Message>;

/** A tool that the host offers to the model for this turn, described as MCP describes tools. */
export const Tool = z.looseObject({
  name: z.string().check(z.minLength(1)),
  description: z.optional(z.string()),
  inputSchema: z.optional(z.unknown()),
  annotations: z.optional(z.record(z.string(), z.unknown())),
});
/** A tool that the host offers to the model for this turn. */
export type Tool = z.infer<typeof Tool>;

// ---------------------------------------------------------------- host → plugin

/** Params of `plexum/provider/stream`. */
export const StreamParams = params(z.looseObject({
  model: z.optional(z.string()),
  agent: z.optional(z.looseObject({
    agent_id: z.optional(z.string()),
    workspace: z.optional(z.string()),
  })),
  session_id: z.optional(z.string()),
  request: z.looseObject({
    messages: z.array(Message),
    tools: z.optional(z.nullable(z.array(Tool))),
    system: z.optional(z.nullable(z.string())),
    output_schema: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
    max_tokens: z.optional(z.nullable(z.number())),
  }),
}));
/** Params of `plexum/provider/stream`. */
export type StreamParams = z.infer<typeof StreamParams>;

/** Params of `plexum/session/mutate`. An unknown `op` is answered, not refused. */
export const MutateParams = params(z.looseObject({
  agent_id: z.string(),
  workspace: z.string(),
  mutations: z.array(z.looseObject({ block_id: z.string(), op: z.string() })),
}));
/** Params of `plexum/session/mutate`. */
export type MutateParams = z.infer<typeof MutateParams>;

/** Result of `plexum/session/mutate`. */
export const MutateResult = z.object({
  requested: z.number(),
  touched: z.number(),
  deferred: z.number(),
  skipped: z.array(z.object({
    block_id: z.string(),
    reason: z.enum(["unknown_id", "already_small", "unknown_op"]),
  })),
});
/** Result of `plexum/session/mutate`. */
export type MutateResult = z.infer<typeof MutateResult>;

/** Log levels, least urgent first (RFC 5424, as MCP uses them). */
export const LOG_LEVELS = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;
/** A log level of `logging/setLevel`. */
export type LogLevel = typeof LOG_LEVELS[number];
/** Params of `logging/setLevel`. */
export const SetLevelParams = z.looseObject({ level: z.enum(LOG_LEVELS) });

// ---------------------------------------------------------------- events of a turn

/** Tokens of one turn (never of the whole thread). */
export const Usage = z.object({
  input_tokens: z.number(),
  cached_input_tokens: z.number(),
  output_tokens: z.number(),
  reasoning_output_tokens: z.number(),
});
/** Tokens of one turn. */
export type Usage = z.infer<typeof Usage>;

/** What went wrong, as a class that a host can act on. */
export const ErrorKind = z.enum([
  "config",
  "invalid_request",
  "workspace_required",
  "codex_missing",
  "codex_too_old",
  "auth_required",
  "quota_exhausted",
  "rate_limited",
  "context_overflow",
  "model_unavailable",
  "network",
  "server_error",
  "content_refused",
  "session_lost",
  "session_busy",
  "mcp_unavailable",
  "timeout",
  "crashed",
  "cancelled",
  "internal",
]);
/** The body of an `error` event and of a domain error's `data`. */
export const ErrorBody = z.object({
  kind: ErrorKind,
  message: z.string(),
  retryable: z.boolean(),
  hint: z.optional(z.string()),
  retry_after_ms: z.optional(z.number()),
  resets_at: z.optional(z.string()),
  exit_code: z.optional(z.number()),
  signal: z.optional(z.string()),
  detail: z.optional(z.string()),
});
/** The body of an `error` event and of a domain error's `data`. */
export type ErrorBody = z.infer<typeof ErrorBody>;

/** Why a turn ended. */
export const StopReason = z.enum(["end_turn", "max_tokens", "cancelled", "error"]);

/** One canonical event. `message_start` is first, `message_end` is last and comes exactly once. */
export const StreamEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message_start"),
    model: z.string(),
    thread_id: z.string(),
    resumed: z.boolean(),
  }),
  z.object({
    type: z.literal("text_delta"),
    index: z.number(),
    text: z.string(),
    phase: z.optional(z.string()),
  }),
  z.object({ type: z.literal("thinking_delta"), index: z.number(), text: z.string() }),
  z.object({
    type: z.literal("tool_call_start"),
    id: z.string(),
    name: z.string(),
    namespace: z.optional(z.string()),
    source: z.enum(["host", "codex"]),
  }),
  z.object({ type: z.literal("tool_call_end"), id: z.string(), arguments: z.string() }),
  z.object({
    type: z.literal("tool_result"),
    id: z.string(),
    output: z.union([z.string(), z.array(z.unknown())]),
    is_error: z.boolean(),
    part: z.optional(z.number()),
  }),
  z.object({
    type: z.literal("status"),
    message: z.string(),
    data: z.optional(z.record(z.string(), z.unknown())),
  }),
  z.object({ type: z.literal("error"), error: ErrorBody }),
  z.object({
    type: z.literal("message_end"),
    stop_reason: StopReason,
    usage: Usage,
    thread_id: z.string(),
  }),
]);
/** One canonical event. */
export type StreamEvent = z.infer<typeof StreamEvent>;

/** Params of `notifications/plexum/provider/event`; `seq` counts from 0 without gaps. */
export const EventParams = z.object({
  request_id: z.union([z.string(), z.number()]),
  seq: z.number(),
  event: StreamEvent,
});
/** Params of `notifications/plexum/provider/event`. */
export type EventParams = z.infer<typeof EventParams>;

/** Result of `plexum/provider/stream`, sent after `message_end`. */
export const StreamResult = z.object({
  stop_reason: StopReason,
  usage: Usage,
  thread_id: z.string(),
});
/** Result of `plexum/provider/stream`. */
export type StreamResult = z.infer<typeof StreamResult>;

// ---------------------------------------------------------------- plugin → host

/** Params of `plexum/host/tool/call`; `name` is the host's own name of the tool. */
export const HostToolCallParams = z.object({
  agent_id: z.string(),
  session_id: z.optional(z.string()),
  request_id: z.union([z.string(), z.number()]),
  call_id: z.optional(z.string()),
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()),
});
/** Params of `plexum/host/tool/call`. */
export type HostToolCallParams = z.infer<typeof HostToolCallParams>;

/** Result of `plexum/host/tool/call`: an MCP CallToolResult. */
export const HostToolCallResult = z.looseObject({
  content: z._default(z.array(z.looseObject({ type: z.string() })), []),
  structuredContent: z.optional(z.record(z.string(), z.unknown())),
  isError: z.optional(z.boolean()),
});
/** Result of `plexum/host/tool/call`: an MCP CallToolResult. */
export type HostToolCallResult = z.infer<typeof HostToolCallResult>;

/** What the host reads, from `manifest.json`, before it starts the plugin. */
export const Manifest = z.object({
  name: z.literal(PLUGIN_NAME),
  version: z.string(),
  activation: z.literal("lazy"),
  executable: z.literal(EXECUTABLE_NAME),
  contracts: z.object({ provider: z.object({ models: z.array(z.string()) }) }),
});
/** What the host reads before it starts the plugin. */
export type Manifest = z.infer<typeof Manifest>;

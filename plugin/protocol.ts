/**
 * The host's wire, revision 2: every name and shape that crosses the plugin's stdio, and nothing else.
 *
 * JSON-RPC 2.0, one object per line, only 0x0A ends a line. The host asks for turns
 * (`plexum/provider/stream`) and for edits of old tool output (`plexum/session/mutate`); during a
 * turn the plugin sends `notifications/plexum/provider/event` and may ask the host to run one of its
 * own tools (`plexum/host/tool/call`). Plexum's params are snake_case; camelCase is understood on
 * input (`session.ts`). The host's own SDK is not public: whoever has it can correct this plugin
 * here, in one place.
 *
 * `docs/protocol.md` tells the story for people who write hosts; `docs/schema/*.json` is generated
 * from the schemas below. Each of them is lazy: the answer to `initialize` waits for none.
 *
 * @module
 */
import * as z from "zod/mini";
import { RPC_CODE } from "../base/jsonrpc/frame.ts";
import { EXECUTABLE_NAME, PLUGIN_NAME } from "./self.ts";

/** Revision of this protocol, sent in `initialize` under `capabilities.experimental.plexum`. */
export const REVISION = 2;
/** The MCP version whose lifecycle the handshake follows. */
export const MCP_VERSION = "2025-06-18";
/** Longest accepted frame, in bytes without its newline. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/** Requests of the host that may run or wait at once; one more is refused. */
export const MAX_REQUESTS = 1000;
/** Levels of lists and objects that params may have. */
export { MAX_DEPTH } from "../base/jsonrpc/frame.ts";

/** Method names, by who sends them. */
export const METHOD = {
  initialize: "initialize",
  ping: "ping",
  toolsList: "tools/list",
  setLogLevel: "logging/setLevel",
  stream: "plexum/provider/stream",
  mutate: "plexum/session/mutate",
  stats: "plexum/plugin/stats",
  hostToolCall: "plexum/host/tool/call",
  initialized: "notifications/initialized",
  cancelled: "notifications/cancelled",
  event: "notifications/plexum/provider/event",
  log: "notifications/message",
} as const;

/** JSON-RPC error codes in use. */
export const CODE = {
  ...RPC_CODE,
  /** The domain's own failures; `data` is an {@link ErrorBody}. */
  domain: -32000,
  notInitialized: -32002,
} as const;

/** What a field means, for the generated JSON Schema. */
const says = (text: string) => z.describe(text);
const RequestId = z.lazy(() => z.union([z.string(), z.number()]));
const count = (text: string) => z.int().check(z.minimum(0), says(text));
/** What a good request has, beyond what is needed to answer it with a domain error of its own. */
const needs = (...required: string[]) => z.meta({ required });

// ---------------------------------------------------------------- content blocks

/** The types of content block that mean something; any other is ignored. */
export const BLOCK_TYPES: readonly string[] = [
  "text",
  "thinking",
  "tool_use",
  "tool_result",
  "image",
];

/** One piece of a message. A type that this revision does not name is ignored, never an error. */
export const ContentBlock = z.lazy(() =>
  z.union([
    z.discriminatedUnion("type", [
      z.looseObject({ type: z.literal("text"), text: z.string() }),
      z.looseObject({
        type: z.literal("thinking"),
        thinking: z.string(),
        signature: z.optional(z.string()),
      }),
      z.looseObject({
        type: z.literal("tool_use"),
        id: z.string(),
        name: z.string(),
        input: z.optional(z.unknown()),
      }),
      z.looseObject({
        type: z.literal("tool_result"),
        tool_use_id: z.string(),
        content: z.optional(z.unknown()),
        is_error: z.optional(z.boolean()),
      }),
      z.looseObject({
        type: z.literal("image"),
        url: z.optional(z.string().check(says("A base64 `data:` URL; nothing is fetched."))),
        data_base64: z.optional(z.string()),
        path: z.optional(z.string().check(says("A file; relative to the workspace."))),
        media_type: z.optional(z.string().check(says("E.g. image/png; for `data_base64`."))),
      }).check(says("One of `url`, `data_base64` and `path`.")),
    ]),
    z.looseObject({
      type: z.custom<"other">((type) => typeof type === "string" && !BLOCK_TYPES.includes(type)),
    }).check(says("Any other type: ignored.")),
  ])
);
/** One piece of a message; `other` stands for every type that this revision does not name. */
export type ContentBlock = z.infer<typeof ContentBlock>;

/** A message of the conversation. */
export const Message = z.lazy(() =>
  z.looseObject({
    role: z.string().check(says("`user`, `assistant` or another; only `user` is special.")),
    content: z.optional(z.union([z.string(), z.array(ContentBlock)])),
  })
);
/** A message of the conversation; `content` may be plain text. */
export type Message = z.infer<typeof Message>;

/** A tool that the host offers to the model for this turn, described as MCP describes tools. */
export const Tool = z.lazy(() =>
  z.looseObject({
    name: z.string().check(z.minLength(1)),
    description: z.optional(z.string()),
    inputSchema: z.optional(z.unknown()),
    annotations: z.optional(z.record(z.string(), z.unknown())),
  })
);
/** A tool that the host offers to the model for this turn. */
export type Tool = z.infer<typeof Tool>;

// ---------------------------------------------------------------- host → plugin

/** Params of `plexum/provider/stream`. */
export const StreamParams = z.lazy(() =>
  z.looseObject({
    model: z.optional(z.string().check(says('"" and "codex": whatever codex is set up with.'))),
    agent: z.optional(
      z.looseObject({
        agent_id: z.optional(z.string().check(says("Whose thread it is; `default` when absent."))),
        workspace: z.optional(
          z.string().check(
            says("Absolute path of the directory the turn works in; made if missing."),
          ),
        ),
      }).check(needs("workspace")),
    ),
    session_id: z.optional(z.string().check(says("Returned with every host tool call."))),
    _meta: z.optional(z.looseObject({
      agent_id: z.optional(
        z.nullable(z.string()).check(says("Read where `agent.agent_id` is absent.")),
      ),
    })),
    request: z.looseObject({
      messages: z.array(Message).check(
        says("codex gets the last user message; the others are already in its thread."),
      ),
      tools: z.optional(z.array(Tool)),
      system: z.optional(z.string()),
      output_schema: z.optional(
        z.record(z.string(), z.unknown()).check(says("JSON Schema for the final answer.")),
      ),
      max_tokens: z.optional(z.number().check(says("Accepted; codex has no such setting."))),
    }),
  }).check(needs("agent", "request"))
);
/** Params of `plexum/provider/stream`. */
export type StreamParams = z.infer<typeof StreamParams>;

/** Whose thread it is when nobody is named. */
export const DEFAULT_AGENT = "default";

/** Params of `plexum/session/mutate`. An unknown `op` is answered, not refused. */
export const MutateParams = z.lazy(() =>
  z.looseObject({
    agent_id: z.string(),
    workspace: z.string(),
    mutations: z.array(z.looseObject({
      block_id: z.string().check(says("The `id` of a tool call event.")),
      op: z.string().check(says("`consume-light` or `consume-heavy`.")),
    })),
  })
);
/** Params of `plexum/session/mutate`. */
export type MutateParams = z.infer<typeof MutateParams>;

/** Result of `plexum/session/mutate`. */
export const MutateResult = z.lazy(() =>
  z.object({
    requested: count("Mutations in the request."),
    touched: count("Calls whose record is smaller now."),
    deferred: count("Written down, and carried out before the thread is resumed."),
    skipped: z.array(z.object({
      block_id: z.string(),
      reason: z.enum(["unknown_id", "already_small", "unknown_op"]),
    })),
  })
);
/** Result of `plexum/session/mutate`. */
export type MutateResult = z.infer<typeof MutateResult>;

/** Result of `plexum/plugin/stats`: counters since this plugin process started. */
export const PluginStats = z.lazy(() =>
  z.object({
    version: z.string(),
    /** ISO 8601. */
    since: z.string(),
    turns: z.object({
      running: count("Begun and not over; those that wait for their workspace are not counted."),
      end_turn: z.number(),
      max_tokens: z.number(),
      cancelled: z.number(),
      error: count("Ended with an `error` event."),
      refused: count("Answered with an error, without an event."),
    }),
    errors: z.record(z.string(), z.number()).check(z.describe("By `kind`.")),
    tokens: z.object({
      input: z.number(),
      cached_input: z.number(),
      output: z.number(),
      reasoning_output: z.number(),
    }),
    tools: z.object({
      calls: z.number(),
      host_calls: z.number(),
      errors: z.number(),
      output_bytes: z.number(),
    }),
    text_bytes: z.number(),
    consumes: z.object({
      requests: z.number(),
      touched: z.number(),
      deferred: z.number(),
      skipped: z.number(),
      failed: z.number(),
    }),
    kept: z.optional(z.object({
      processes: count("codex that stay between turns and live now, with the one started ahead."),
      pids: z._default(z.array(z.number()), []).check(
        z.describe("Their processes, as the plugin numbers them."),
      ),
      running: count("Of these, how many have a turn."),
      warm: count("Turns that found theirs waiting."),
      spare: count("Turns that took the one started ahead."),
      cold: count("Turns that had to wait for a start."),
    })),
    last_turn: z.optional(
      z.record(z.string(), z.unknown()).check(
        z.describe("The data of its `codex turn complete` log line, and `at`, when it ended."),
      ),
    ),
  })
);
/** Result of `plexum/plugin/stats`. */
export type PluginStats = z.infer<typeof PluginStats>;

/** Params of `notifications/cancelled`, which either side sends about a request of its own. */
export const CancelledParams = z.lazy(() =>
  z.looseObject({
    requestId: RequestId.check(says("The id of the request that is taken back.")),
    reason: z.optional(z.string().check(says("For people."))),
  })
);

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
export const SetLevelParams = z.lazy(() => z.looseObject({ level: z.enum(LOG_LEVELS) }));

/** Params of `notifications/message`: one line of the log. */
export const LogParams = z.lazy(() =>
  z.object({
    level: z.enum(LOG_LEVELS),
    logger: z.literal(PLUGIN_NAME),
    data: z.looseObject({ msg: z.string().check(says("What happened.")) })
      .check(says("About whom and how much, beside `msg`.")),
  })
);
/** Params of `notifications/message`. */
export type LogParams = z.infer<typeof LogParams>;

// ---------------------------------------------------------------- events of a turn

/** Tokens of one turn (never of the whole thread). */
export const Usage = z.lazy(() =>
  z.object({
    input_tokens: count("With the cached ones."),
    cached_input_tokens: count("Of the input, read from the model's cache."),
    output_tokens: count("With the reasoning ones."),
    reasoning_output_tokens: count("Of the output, spent on reasoning."),
  })
);
/** Tokens of one turn. */
export type Usage = z.infer<typeof Usage>;

/** The model's context after the turn, in tokens, where codex told it. */
export const Context = z.lazy(() =>
  z.object({
    used: count("What the thread holds."),
    window: count("What the model takes."),
  })
);

/** What went wrong, as a class that a host can act on. */
export const ErrorKind = z.lazy(() =>
  z.enum([
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
  ])
);
/** The body of an `error` event and of a domain error's `data`. */
export const ErrorBody = z.lazy(() =>
  z.object({
    kind: ErrorKind,
    message: z.string(),
    retryable: z.boolean().check(
      says("Whether the same request may succeed later without anybody changing anything."),
    ),
    hint: z.optional(z.string().check(says("What the operator can do."))),
    retry_after_ms: z.optional(count("How long to wait, where the model's server said so.")),
    resets_at: z.optional(z.string().check(says("When a used-up quota comes back, ISO 8601."))),
    exit_code: z.optional(z.int().check(says("How codex ended."))),
    signal: z.optional(z.string().check(says("The signal that ended codex."))),
    detail: z.optional(z.string().check(says("At most 2 KiB, e.g. the end of codex's stderr."))),
  })
);
/** The body of an `error` event and of a domain error's `data`. */
export type ErrorBody = z.infer<typeof ErrorBody>;

/** Why a turn ended. */
export const StopReason = z.lazy(() => z.enum(["end_turn", "max_tokens", "cancelled", "error"]));

/** One event of a turn. `message_start` is first, `message_end` is last and comes exactly once. */
export const StreamEvent = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.object({
      type: z.literal("message_start"),
      model: z.string().check(says("As the host named it.")),
      thread_id: z.string(),
      resumed: z.boolean(),
    }).check(says("codex announced its thread. Always first.")),
    z.object({
      type: z.literal("text_delta"),
      index: count("Counts text blocks."),
      text: z.string(),
      phase: z.optional(
        z.string().check(
          says(
            "`commentary`, `final_answer`, or `async` for what was sent in the middle of a turn.",
          ),
        ),
      ),
    }).check(
      says(
        "A piece of the answer. Pieces of a block have the same index; joined they are the block. The " +
          "first piece of every block after the first begins with a blank line.",
      ),
    ),
    z.object({
      type: z.literal("text_retracted"),
      index: count("Of the block that is void."),
    }).check(says("codex began the answer again: what was told under this index is void.")),
    z.object({
      type: z.literal("thinking_delta"),
      index: count("Counts reasoning summaries."),
      text: z.string(),
    }).check(says("A reasoning summary, or a piece of one.")),
    z.object({
      type: z.literal("tool_call_start"),
      id: z.string().check(says("codex's own call id; what `plexum/session/mutate` takes.")),
      name: z.string(),
      namespace: z.optional(
        z.string().check(says("codex's group of the tool: `mcp__…` of an MCP server, or its own.")),
      ),
      source: z.enum(["host", "codex"]).check(says("Whose tool it is.")),
    }).check(says("The model called a tool.")),
    z.object({
      type: z.literal("tool_call_end"),
      id: z.string(),
      arguments: z.string().check(says("As codex recorded them, as a rule JSON.")),
    }).check(says("The call is complete.")),
    z.object({
      type: z.literal("tool_result"),
      id: z.string(),
      output: z.union([z.string(), z.array(z.unknown())]).check(says("As codex recorded it.")),
      is_error: z.boolean(),
      part: z.optional(count("Counts the outputs of a call that has several.")),
    }).check(says("What the tool gave back.")),
    z.object({
      type: z.literal("status"),
      message: z.string(),
      data: z.optional(z.record(z.string(), z.unknown())),
    }).check(says("What a person would want to see while waiting.")),
    z.object({ type: z.literal("error"), error: ErrorBody })
      .check(says("The turn failed. At most one, right before `message_end`.")),
    z.object({
      type: z.literal("message_end"),
      stop_reason: StopReason,
      usage: Usage,
      thread_id: z.string(),
      context: z.optional(Context),
    }).check(says("The turn is over. Always last, exactly once.")),
  ])
);
/** One event of a turn. */
export type StreamEvent = z.infer<typeof StreamEvent>;

/** Params of `notifications/plexum/provider/event`; `seq` counts from 0 without gaps. */
export const EventParams = z.lazy(() =>
  z.object({
    request_id: RequestId,
    seq: count("Counts the events of one request, from 0 without gaps."),
    event: StreamEvent,
  })
);
/** Params of `notifications/plexum/provider/event`. */
export type EventParams = z.infer<typeof EventParams>;

/** Result of `plexum/provider/stream`, sent after `message_end`. */
export const StreamResult = z.lazy(() =>
  z.object({
    stop_reason: StopReason,
    usage: Usage,
    thread_id: z.string(),
    context: z.optional(Context),
  })
);
/** Result of `plexum/provider/stream`. */
export type StreamResult = z.infer<typeof StreamResult>;

// ---------------------------------------------------------------- plugin → host

/** Params of `plexum/host/tool/call`; `name` is the host's own name of the tool. */
export const HostToolCallParams = z.lazy(() =>
  z.object({
    agent_id: z.string(),
    session_id: z.optional(z.string()),
    request_id: RequestId.check(says("The turn that asks.")),
    call_id: z.optional(z.string().check(says("codex's own call id, where codex told it."))),
    thread_id: z.optional(
      z.string().check(says("The thread that calls: the turn's, or a sub-agent's own.")),
    ),
    name: z.string().check(says("The host's own name of the tool.")),
    arguments: z.record(z.string(), z.unknown()),
  })
);
/** Params of `plexum/host/tool/call`. */
export type HostToolCallParams = z.infer<typeof HostToolCallParams>;

/** Result of `plexum/host/tool/call`: an MCP CallToolResult. */
export const HostToolCallResult = z.lazy(() =>
  z.looseObject({
    content: z._default(z.array(z.looseObject({ type: z.string() })), []),
    structuredContent: z.optional(z.record(z.string(), z.unknown())),
    isError: z.optional(z.boolean()),
  })
);
/** Result of `plexum/host/tool/call`: an MCP CallToolResult. */
export type HostToolCallResult = z.infer<typeof HostToolCallResult>;

/** What the host reads, from `manifest.json`, before it starts the plugin. */
export const Manifest = z.lazy(() =>
  z.object({
    name: z.literal(PLUGIN_NAME),
    version: z.string(),
    activation: z.literal("lazy"),
    executable: z.literal(EXECUTABLE_NAME).check(says("Beside the manifest.")),
    contracts: z.object({ provider: z.object({ models: z.array(z.string()) }) }),
  })
);
/** What the host reads before it starts the plugin. */
export type Manifest = z.infer<typeof Manifest>;

/** Result of `initialize`: that of MCP, with the plugin's own in `experimental.plexum`. */
export const InitializeResult = z.lazy(() =>
  z.object({
    protocolVersion: z.literal(MCP_VERSION),
    serverInfo: z.object({ name: z.literal(PLUGIN_NAME), version: z.string() }),
    capabilities: z.object({
      tools: z.object({}),
      logging: z.object({}),
      experimental: z.object({
        plexum: z.object({
          revision: count("Revision of the protocol; a later one may add to an earlier one."),
          manifest: Manifest,
          features: z.array(z.string()).check(says("What this plugin can do, by name.")),
        }),
      }),
    }),
  })
);
/** Result of `initialize`. */
export type InitializeResult = z.infer<typeof InitializeResult>;

/**
 * The wire of `codex app-server`, as far as a turn needs it: a notification in, what codex said out.
 *
 * Seen on 0.158 to 0.171. Traps that the names do not tell:
 * - an `error` with `willRetry` is progress; the turn's end is `turn/completed`, also of a failed one;
 * - an item that was begun is not always completed: a stream that broke off begins anew, with another
 *   item and all of its text, and no word takes the first one back;
 * - sub-agents speak in the same stream, with thread ids of their own, and go on when the turn that
 *   started them has ended or was interrupted;
 * - tools that codex does not know, patches that fail and the outer calls of code mode are not told
 *   of at all: the rollout has them.
 *
 * @module
 */
import * as z from "zod/mini";
import { isObject } from "../../base/json_object.ts";
import type { Usage } from "../../rollout/records/events.ts";

/** What is asked of the server. */
export const METHOD = {
  initialize: "initialize",
  initialized: "initialized",
  configRead: "config/read",
  threadStart: "thread/start",
  threadResume: "thread/resume",
  threadUnsubscribe: "thread/unsubscribe",
  terminalsClean: "thread/backgroundTerminals/clean",
  turnStart: "turn/start",
  turnInterrupt: "turn/interrupt",
} as const;

/** How an MCP server of a thread fares. */
export const SERVER_STATUS = "mcpServer/startupStatus/updated";

/** Notifications that a turn is not told: suppressed by their exact names. */
export const NOT_WANTED = [
  "thread/started",
  "thread/status/changed",
  "thread/readState/changed",
  "thread/settings/updated",
  "remoteControl/status/changed",
  "turn/diff/updated",
];

/** Tokens, of one request or of the thread. */
export interface TokenCounts {
  totalTokens: number;
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningOutputTokens: number;
}

/** Why a turn failed, or what is tried again. */
export interface WireError {
  message: string;
  codexErrorInfo?: unknown;
  additionalDetails?: string | null | undefined;
}

/** How far a limit of the account is used up; `resetsAt` in Unix seconds. */
export interface RateLimit {
  usedPercent: number;
  resetsAt?: number | null | undefined;
}

/** The parameters of all notifications that are looked at, in one. */
export interface NoticeParams {
  threadId?: string | null | undefined;
  turnId?: string | null | undefined;
  turn?: { id: string; status: string; error?: WireError | null | undefined } | undefined;
  error?: WireError | string | null | undefined;
  willRetry?: boolean | undefined;
  item?: {
    id: string;
    type: string;
    text?: string | undefined;
    phase?: string | null | undefined;
    delivery?: unknown;
    summary?: unknown;
    query?: string | undefined;
  } | undefined;
  itemId?: string | undefined;
  delta?: string | undefined;
  summaryIndex?: number | undefined;
  tokenUsage?: {
    total: TokenCounts;
    last: TokenCounts;
    modelContextWindow?: number | null | undefined;
  } | undefined;
  rateLimits?: {
    primary?: RateLimit | null | undefined;
    secondary?: RateLimit | null | undefined;
  } | undefined;
  plan?: { step: string; status: string }[] | undefined;
  message?: string | undefined;
  summary?: string | undefined;
  name?: string | undefined;
  status?: unknown;
}

const Count = z._default(z.number(), 0);
const Tokens = z.looseObject({
  totalTokens: Count,
  inputTokens: Count,
  cachedInputTokens: Count,
  outputTokens: Count,
  reasoningOutputTokens: Count,
});
const ErrorShape = z.looseObject({
  message: z._default(z.string(), "codex gave no reason"),
  codexErrorInfo: z.optional(z.unknown()),
  additionalDetails: z.optional(z.nullable(z.string())),
});
const LimitShape = z.nullish(z.looseObject({
  usedPercent: z._default(z.number(), 0),
  resetsAt: z.nullish(z.number()),
}));

const Params: z.ZodMiniType<NoticeParams> = z.looseObject({
  threadId: z.nullish(z.string()),
  turnId: z.nullish(z.string()),
  turn: z.optional(z.looseObject({
    id: z.string(),
    status: z._default(z.string(), ""),
    error: z.nullish(ErrorShape),
  })),
  error: z.optional(z.union([ErrorShape, z.string(), z.null()])),
  willRetry: z.optional(z.boolean()),
  item: z.optional(z.looseObject({
    id: z._default(z.string(), ""),
    type: z.string(),
    text: z.optional(z.string()),
    phase: z.nullish(z.string()),
    delivery: z.optional(z.unknown()),
    summary: z.optional(z.unknown()),
    query: z.optional(z.string()),
  })),
  itemId: z.optional(z.string()),
  delta: z.optional(z.string()),
  summaryIndex: z.optional(z.number()),
  tokenUsage: z.optional(z.looseObject({
    total: Tokens,
    last: Tokens,
    modelContextWindow: z.nullish(z.number()),
  })),
  rateLimits: z.optional(z.looseObject({ primary: LimitShape, secondary: LimitShape })),
  plan: z.optional(z.array(z.looseObject({
    step: z._default(z.string(), ""),
    status: z._default(z.string(), ""),
  }))),
  message: z.optional(z.string()),
  summary: z.optional(z.string()),
  name: z.optional(z.string()),
  status: z.optional(z.unknown()),
});

/** Reads them; a text says why they cannot be read. */
export function paramsOf(params: unknown): NoticeParams | string {
  const parsed = z.safeParse(Params, params ?? {});
  if (parsed.success) return parsed.data;
  return `unexpected shape at ${parsed.error.issues[0]?.path.join(".") || "the top"}`;
}

/** What a person should hear, in words; nothing for other notifications. */
export function warningIn(method: string, params: NoticeParams): string | undefined {
  switch (method) {
    case "warning":
    case "deprecationNotice":
    case "configWarning":
      return params.message ?? params.summary ?? "no message";
    case SERVER_STATUS:
      if (params.status !== "failed") return undefined;
      return typeof params.error === "string"
        ? params.error
        : `the MCP server ${params.name} failed to start`;
    default:
      return undefined;
  }
}

/** What the last request of a turn left: tokens that the thread holds and has cost. */
export function usageOf({ tokenUsage }: NoticeParams): Usage | undefined {
  if (tokenUsage === undefined) return undefined;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningOutputTokens } = tokenUsage.total;
  return { inputTokens, cachedInputTokens, outputTokens, reasoningOutputTokens };
}

/** The status of the HTTP answer behind an error, where codex tells it. */
export function httpStatusOf(info: unknown): number | undefined {
  if (typeof info !== "object" || info === null) return undefined;
  return Object.values(info).map(statusIn).find((status) => status !== undefined);
}

function statusIn(detail: unknown): number | undefined {
  const known = typeof detail === "object" && detail !== null && "httpStatusCode" in detail;
  return known && typeof detail.httpStatusCode === "number" ? detail.httpStatusCode : undefined;
}

/** codex's name of an error as its rollout spells it: `{http_connection_failed: {http_status_code}}`. */
export function infoAsRecorded(info: unknown): unknown {
  if (typeof info === "string") return snake(info);
  if (!isObject(info)) return undefined;
  return withNames(
    info,
    (detail) => isObject(detail) ? withNames(detail, (value) => value) : detail,
  );
}

function withNames(
  object: Record<string, unknown>,
  recorded: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [snake(name), recorded(value)]),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** When the limit that is used up is open again, in Unix seconds. */
export function resetOf({ rateLimits }: NoticeParams): number | undefined {
  const used = [rateLimits?.primary, rateLimits?.secondary]
    .filter((limit) => (limit?.usedPercent ?? 0) >= 100)
    .flatMap((limit) => limit?.resetsAt ?? []);
  return used.length === 0 ? undefined : Math.max(...used);
}

/** The word that begins the next part of a summary; codex joins them so. */
export const PART_BREAK = "\n";

/** What a completed reasoning item says: the parts of its summary, as the rollout joins them. */
export function summaryText(summary: unknown): string {
  return Array.isArray(summary)
    ? summary.filter((part) => typeof part === "string").join(PART_BREAK)
    : "";
}

/**
 * The runner's turn events in the host's words, and the host's request in the runner's. Pure.
 *
 * @module
 */
import type { ImageInput } from "../runner/images.ts";
import type { PastMessage } from "../runner/prompt.ts";
import type { Failure, TurnEnd, TurnEvent } from "../runner/turn_event.ts";
import type { Usage as RunnerUsage } from "../rollout/records/events.ts";
import type {
  ContentBlock,
  ErrorBody,
  Message,
  StreamEvent,
  StreamResult,
  Usage,
} from "./protocol.ts";

/**
 * A turn event as the host gets it; `model` is the id the host asked for. A field that is
 * `undefined` is not on the wire.
 */
export function canonicalEvent(event: TurnEvent, model: string): StreamEvent {
  switch (event.type) {
    case "started":
      return {
        type: "message_start",
        model,
        thread_id: event.threadId,
        resumed: event.resumed,
      };
    case "text":
      return { type: "text_delta", index: event.index, text: event.text, phase: event.phase };
    case "thinking":
      return { type: "thinking_delta", index: event.index, text: event.text };
    case "call_started": {
      const { id, name, namespace, source } = event;
      return { type: "tool_call_start", id, name, namespace, source };
    }
    case "call_ended":
      return { type: "tool_call_end", id: event.id, arguments: event.arguments };
    case "call_result": {
      const { id, output, isError, part } = event;
      return { type: "tool_result", id, output, is_error: isError, part };
    }
    case "status":
      return { type: "status", message: event.message, data: event.data };
    case "error":
      return { type: "error", error: errorBody(event.failure) };
    case "ended":
      return { type: "message_end", ...streamResult(event) };
  }
}

/** How a turn ended, as the request's result. */
export function streamResult({ stopReason, usage, threadId }: TurnEnd): StreamResult {
  return { stop_reason: stopReason, usage: wireUsage(usage), thread_id: threadId };
}

/** A failure as an error body. */
export function errorBody(failure: Failure): ErrorBody {
  const { retryAfterMs, resetsAt, exitCode, ...same } = failure;
  return { ...same, retry_after_ms: retryAfterMs, resets_at: resetsAt, exit_code: exitCode };
}

function wireUsage(usage: RunnerUsage): Usage {
  return {
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
    reasoning_output_tokens: usage.reasoningOutputTokens,
  };
}

/** What codex is given of a conversation. */
export interface Asked {
  /** The text blocks of the last user message; empty when there is none. */
  text: string;
  images: ImageInput[];
  /** Everything before it that has text. */
  history: PastMessage[];
}

/** The last user message and what went before it. */
export function askedOf(messages: readonly Message[]): Asked {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[last];
  if (message === undefined) return { text: "", images: [], history: [] };
  const history = messages.slice(0, last)
    .map(({ role, content }) => ({ role, text: textOf(content) }))
    .filter(({ text }) => text !== "");
  const images = blocksOf(message.content).flatMap(imagesOf);
  return { text: textOf(message.content), images, history };
}

function textOf(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return blocksOf(content).flatMap((block) => block.type === "text" ? [block.text] : []).join("\n");
}

function blocksOf(content: Message["content"]): ContentBlock[] {
  return typeof content === "string" ? [] : content ?? [];
}

function imagesOf(block: ContentBlock, at: number): ImageInput[] {
  if (block.type !== "image") return [];
  // An empty text is a source that was not given: Go writes it so.
  return [{
    block: at,
    url: block.url || undefined,
    path: block.path || undefined,
    dataBase64: block.data_base64 || undefined,
  }];
}

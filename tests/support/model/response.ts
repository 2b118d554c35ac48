/**
 * The events of one streamed response, from `response.created` to the closing event, as a pure
 * function of the step.
 */
import { type ItemPlace, type SseEvent, streamItem } from "./items.ts";
import type { ScriptedUsage, Step } from "./step.ts";

/** What a response needs to know beside its step. */
export interface ResponseContext {
  model: string;
  newId: ItemPlace["newId"];
}

/**
 * All events of a step, in order. The closing event stands apart, so that a caller can hold it back;
 * a step that hangs, or is cut before its end, has none.
 */
export function responseEvents(
  step: Step,
  context: ResponseContext,
): { opening: SseEvent[]; closing?: SseEvent } {
  const response = {
    id: step.responseId ?? context.newId("resp"),
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    model: context.model,
    output: [],
  };
  const inProgress = { response: { ...response, status: "in_progress" } };
  const opening: SseEvent[] = [["response.created", inProgress]];
  if (step.hang) return { opening };
  opening.push(["response.in_progress", inProgress]);
  if (step.failed) {
    const failed = { ...response, status: "failed", error: step.failed };
    return { opening, closing: ["response.failed", { response: failed }] };
  }
  const items = step.items ?? [{ type: "message" as const, text: step.text ?? "" }];
  const place = { chunk: step.chunk ?? 12, newId: context.newId };
  const streamed = items.map((item, index) => streamItem(item, { index, ...place }));
  for (const [output_index, item] of streamed.entries()) {
    opening.push(["response.output_item.added", { output_index, item: item.opening }]);
    opening.push(...item.deltas);
    opening.push(["response.output_item.done", { output_index, item: item.done }]);
  }
  if (step.cutBeforeCompleted) return { opening };
  const output = streamed.map((item) => item.done);
  const done = { ...response, output, usage: wireUsage(step.usage ?? {}) };
  if (step.incomplete === undefined) {
    return {
      opening,
      closing: ["response.completed", { response: { ...done, status: "completed" } }],
    };
  }
  const incomplete_details = { reason: step.incomplete };
  const incomplete = { ...done, status: "incomplete", incomplete_details };
  return { opening, closing: ["response.incomplete", { response: incomplete }] };
}

function wireUsage(usage: ScriptedUsage): Record<string, unknown> {
  const input = usage.input_tokens ?? 100;
  const output = usage.output_tokens ?? 10;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cached_tokens ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning_tokens ?? 0 },
    total_tokens: input + output,
  };
}

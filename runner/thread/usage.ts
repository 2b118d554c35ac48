/**
 * Tokens of a turn, out of figures that count the whole thread.
 *
 * `turn.completed.usage` and the rollout's `total_token_usage` are sums over the thread's life
 * (measured: a resumed turn of 2000 tokens after one of 1000 reports 3000). The turn's own usage is
 * a difference, and a difference needs a sound base: the total that the rollout held when the turn
 * began, or the one we stored after our own last turn.
 *
 * @module
 */
import type { Usage } from "../../rollout/records/events.ts";
import type { TurnUsage } from "../turn_event.ts";

/** No tokens. */
export const ZERO_USAGE: Usage = Object.freeze({
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
});

const FIELDS = [
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "reasoningOutputTokens",
] as const;

const combine = (a: Usage, b: Usage, f: (x: number, y: number) => number): Usage => ({
  inputTokens: f(a.inputTokens, b.inputTokens),
  cachedInputTokens: f(a.cachedInputTokens, b.cachedInputTokens),
  outputTokens: f(a.outputTokens, b.outputTokens),
  reasoningOutputTokens: f(a.reasoningOutputTokens, b.reasoningOutputTokens),
});

/** `a + b`, field by field. */
export const addUsage = (a: Usage, b: Usage): Usage => combine(a, b, (x, y) => x + y);

/** What is known about a turn's tokens when it ends. */
export interface UsageEvidence {
  /** `turn.completed.usage`: the thread's total, if codex got that far. */
  reported?: Usage | undefined;
  /** The `token_count` records that the turn appended to the rollout, oldest first. */
  recorded: readonly { total: Usage; last: Usage }[];
  /** The thread's total before the turn: 0 for a new thread, `undefined` when nobody knows. */
  base?: Usage | undefined;
}

/**
 * The usage of the turn: what the rollout recorded last (or codex reported, where it recorded
 * nothing) less `base`. Where that would be negative, or there is no base, the requests recorded
 * during the turn are added up instead. Never negative, and never the thread's total for want of a
 * base.
 */
export function turnUsage({ reported, recorded, base }: UsageEvidence): Usage {
  const total = recorded.at(-1)?.total ?? reported;
  if (total === undefined) return ZERO_USAGE;
  if (base !== undefined && FIELDS.every((field) => total[field] >= base[field])) {
    return combine(total, base, (x, y) => x - y);
  }
  // A turn may open with a copy of the last count of the turn before (seen with compaction, 0.135 to
  // 0.169): a request counts when it moved the total. The first cannot be told, and is counted.
  return recorded
    .filter(({ total }, i) => !sameUsage(total, recorded[i - 1]?.total))
    .reduce((sum, { last }) => addUsage(sum, last), ZERO_USAGE);
}

/** The thread's total after the turn, to be the next turn's base. */
export function totalAfter({ reported, recorded, base }: UsageEvidence): Usage | undefined {
  return recorded.at(-1)?.total ?? reported ?? base;
}

/** Whether both are the same figures. */
export function sameUsage(a: Usage, b: Usage | undefined): boolean {
  return b !== undefined && FIELDS.every((field) => a[field] === b[field]);
}

/** A turn's usage in the names of its events. */
export function usageTold(usage: Usage): TurnUsage {
  return {
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
    reasoning_output_tokens: usage.reasoningOutputTokens,
  };
}

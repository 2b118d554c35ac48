/**
 * What a consumed call looks like afterwards (the host's words, `docs/protocol.md` section 5).
 *
 * @module
 */

/** The ways to consume a call. */
export type ConsumeOp = "consume-light" | "consume-heavy";

/** What stands in a record instead of its content. */
export interface Markers {
  /** Every recorded output of the call becomes this string. */
  output: string;
  /** The arguments of the call become this text; left as they are where it is missing. */
  input?: string;
}

const MARKERS: Record<ConsumeOp, Markers> = {
  "consume-light": { output: "...(consumed)" },
  "consume-heavy": { output: "...(tool called)", input: "{}" },
};

/** Whether `op` is one of the known ways. */
export function isConsumeOp(op: string): op is ConsumeOp {
  return Object.hasOwn(MARKERS, op);
}

/** The markers of `op`. */
export function markersOf(op: ConsumeOp): Markers {
  return MARKERS[op];
}

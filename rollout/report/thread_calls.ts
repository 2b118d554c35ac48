/**
 * The calls of a thread, put together from what the rollout says of each in several places.
 *
 * @module
 */
import { markersOf } from "../consume/splice.ts";
import { tellsFailure } from "../records/outcome.ts";
import type { CallRecord } from "../records/records.ts";
import { byteLength, clip, contentOf, objectOf, tokensOf } from "./thread_content.ts";
import type { CallReport } from "./thread_report.ts";

/** Calls by their id. What belongs to a call that was never begun is passed by. */
export class ThreadCalls {
  readonly #calls = new Map<string, CallReport>();
  readonly #failed = new Map<string, boolean>();

  /** A new call; `undefined` when it is known already. */
  begin(record: CallRecord, at: string): CallReport | undefined {
    if (this.#calls.has(record.id)) return undefined;
    const argumentBytes = byteLength(record.arguments);
    const call: CallReport = {
      id: record.id,
      name: record.name,
      ...(record.namespace === undefined ? {} : { namespace: record.namespace }),
      at,
      arguments: clip(record.arguments),
      argumentBytes,
      output: "",
      outputBytes: 0,
      images: 0,
      outputs: 0,
      failed: false,
      consumed: "no",
      inContext: true,
      tokens: tokensOf(argumentBytes, 0),
    };
    this.#calls.set(record.id, call);
    return call;
  }

  /** One of the call's outputs. */
  output(id: string, output: string | unknown[]): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { text, images } = contentOf(output);
    call.outputs++;
    call.output = clip(call.output === "" ? text : `${call.output}\n${text}`);
    call.outputBytes += byteLength(text);
    call.images += images;
    const event = this.#failed.get(id);
    call.failed ||= event === true || tellsFailure(output, event !== undefined);
    if (output === markersOf("consume-light").output) call.consumed = "light";
    else if (output === markersOf("consume-heavy").output) call.consumed = "heavy";
    call.tokens = tokensOf(call.argumentBytes + call.outputBytes, call.images);
  }

  /** How the call went. Looked at when an output comes: what is told later is too late. */
  outcome(id: string, failed: boolean): void {
    this.#failed.set(id, failed);
  }

  /** Only what the replacement still holds reaches the model from here on. */
  compacted(items: readonly unknown[]): void {
    const kept = new Set(items.map((item) => objectOf(item).call_id));
    for (const call of this.#calls.values()) call.inContext &&= kept.has(call.id);
  }
}

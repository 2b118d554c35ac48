/**
 * Running host tools for codex: one `CallDesk` per turn, whatever connection a call comes by.
 *
 * A call always ends in a result the model can read. Unknown tool, arguments that do not fit, a
 * host that fails, is gone or takes too long: each is an `isError` result that says what to do.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import type { Catalogue } from "./catalogue.ts";
import { failure, type HostToolCall, type HostToolResult, type Progress } from "../host_tool.ts";
import type { Timer } from "../host_tool.ts";
import { Lanes } from "../../base/lanes.ts";
import { shapeResult } from "./result.ts";

/** Calls of one turn that may be under way or waiting at the same time. */
export const CALLS_MAX = 256;

/** What a desk needs to know. */
export interface CallDeskOptions {
  catalogue: Catalogue;
  /** Who runs calls now; nobody between turns. */
  handler: () => ((call: HostToolCall) => Promise<HostToolResult>) | undefined;
  /** Upper bound for a call's run, and once more for its wait behind other calls. */
  toolTimeoutMs: number;
  resultMaxBytes: number;
  timer: Timer;
}

/** A `tools/call` as it came from codex. */
export interface CallRequest {
  /** The codex name. */
  name: string;
  arguments: Record<string, unknown>;
  callId?: string;
  signal: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** What is wrong with the arguments, or `undefined`. */
  check: (schema: Record<string, unknown>, args: unknown) => string | undefined;
}

/** Takes calls and answers them. */
export class CallDesk {
  readonly #options: CallDeskOptions;
  readonly #lanes = new Lanes();
  readonly #running = new Set<AbortController>();

  constructor(options: CallDeskOptions) {
    this.#options = options;
  }

  /** Aborts every call under way. */
  abort(reason: string): void {
    for (const controller of this.#running) controller.abort(new Error(reason));
  }

  /** Answers a call. Never rejects. */
  async run(request: CallRequest): Promise<HostToolResult> {
    const { catalogue, handler } = this.#options;
    if (!handler()) return failure("No turn is under way: this call was not run.");
    const entry = catalogue.find(request.name);
    if (!entry) return failure(unknownTool(request.name, catalogue));
    const fault = request.check(entry.tool.inputSchema, request.arguments);
    if (fault) {
      return failure(
        `Invalid arguments for ${request.name}: ${fault}. Correct them and call again.`,
      );
    }
    if (this.#running.size >= CALLS_MAX) {
      return failure(
        `${CALLS_MAX} calls are under way already. Wait for some to end, then call again.`,
      );
    }
    const call: HostToolCall = {
      name: entry.hostName,
      arguments: request.arguments,
      signal: request.signal,
    };
    if (request.callId !== undefined) call.callId = request.callId;
    if (request.onProgress) call.onProgress = request.onProgress;
    return await this.#bounded(call, request.name, entry.shared);
  }

  /** Waits for the lane and runs the call, each no longer than allowed. */
  async #bounded(call: HostToolCall, codexName: string, shared: boolean): Promise<HostToolResult> {
    const { timer, toolTimeoutMs, resultMaxBytes } = this.#options;
    const controller = new AbortController();
    const dropped = call.signal;
    const abort = () => controller.abort(dropped.reason);
    if (dropped.aborted) abort();
    else dropped.addEventListener("abort", abort, { once: true });
    this.#running.add(controller);
    const place = this.#lanes.enter(shared);
    const ended = whenAborted(controller.signal);
    const limit = (what: string) =>
      timer(toolTimeoutMs, () => controller.abort(new Error(`${what} ${seconds(toolTimeoutMs)}`)));
    let stop = limit("it waited behind other calls for");
    try {
      await Promise.race([place.ready, ended.promise]);
      stop();
      controller.signal.throwIfAborted();
      stop = limit("the host did not answer within");
      const run = this.#options.handler();
      if (!run) throw new Error("the turn ended");
      const answer = run({ ...call, signal: controller.signal });
      // The host may answer an aborted call late or never; nobody listens then.
      answer.catch(() => {});
      return shapeResult(await Promise.race([answer, ended.promise]), resultMaxBytes);
    } catch (error) {
      const why = errorMessage(error);
      return failure(
        `The tool ${codexName} did not complete: ${why.slice(0, 2000)}. ` +
          `Its effects, if any, are unknown; check before calling it again.`,
      );
    } finally {
      stop();
      ended.forget();
      dropped.removeEventListener("abort", abort);
      this.#running.delete(controller);
      place.leave();
    }
  }
}

/** A promise that rejects with the reason once the signal aborts. */
function whenAborted(signal: AbortSignal): { promise: Promise<never>; forget: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const fire = () => reject(signal.reason);
  if (signal.aborted) fire();
  else signal.addEventListener("abort", fire, { once: true });
  return { promise, forget: () => signal.removeEventListener("abort", fire) };
}

function unknownTool(name: string, catalogue: Catalogue): string {
  const known = catalogue.listed.slice(0, 50).map((tool) => tool.name).join(", ");
  return `Unknown tool ${JSON.stringify(name.slice(0, 200))}. The tools of this turn: ${
    known || "none"
  }.`;
}

function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}
